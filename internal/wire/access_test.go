package wire_test

import (
	"context"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/mayfly-cloud/mayfly/internal/access"
	"github.com/mayfly-cloud/mayfly/internal/wire"
)

// compile is wire.New for an API whose operations ask for nothing.
func compile(api wire.API) (*wire.Router, error) {
	api.Access = access.Table{}
	for _, op := range api.Operations {
		api.Access[op.Name()] = access.Rule{}
	}
	return wire.New(api)
}

// TestNothingIsServedUnasked shows that an operation without a rule ends the start.
func TestNothingIsServedUnasked(t *testing.T) {
	who := wire.Op(wire.Named("GetCallerIdentity"), func(context.Context, *sts.GetCallerIdentityInput) (*sts.GetCallerIdentityOutput, error) {
		return nil, nil
	})
	api := wire.API{Service: "sts", Protocols: []wire.Protocol{wire.Query}, Operations: []wire.Operation{who}}
	for name, tt := range map[string]struct {
		table access.Table
		want  string
	}{
		"no table":                 {nil, "api sts: operation GetCallerIdentity: nothing says what it asks of its caller"},
		"no entry":                 {access.Table{"Other": {}}, "api sts: operation GetCallerIdentity: nothing says what it asks of its caller"},
		"an entry of no operation": {access.Table{"GetCallerIdentity": {}, "Other": {}}, "api sts: access is said for Other, which is no operation of it"},
	} {
		api.Access = tt.table
		if _, err := wire.New(api); err == nil || err.Error() != tt.want {
			t.Errorf("%s: got %v, want %s", name, err, tt.want)
		}
	}
	api.Access = access.Table{"GetCallerIdentity": {Action: "sts:GetCallerIdentity", Unsigned: true}}
	r, err := wire.New(api)
	if err != nil {
		t.Fatal(err)
	}
	call, err := r.Match(httptest.NewRequest("POST", "/?Action=GetCallerIdentity", nil))
	if err != nil || call.Access().Action != "sts:GetCallerIdentity" || !r.Unsigned() {
		t.Errorf("the call knows its rule: %v, %v", call, err)
	}
}
