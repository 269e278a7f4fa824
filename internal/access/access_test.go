package access_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mayfly-cloud/mayfly/internal/access"
)

type input struct {
	Name  *string
	Kind  kind
	Count *int32
}

type kind string

func TestNeeds(t *testing.T) {
	name := "f"
	in := &input{Name: &name, Kind: "k"}
	rule := access.Rule{
		Action:    "s:Do",
		Resources: func(_ context.Context, in any) []string { return []string{"a/" + access.Text(in, "Name"), "b"} },
		Keys:      func(_ context.Context, in any) access.Keys { return access.Keys{"s:Kind": {access.Text(in, "Kind")}} },
		Also: func(context.Context, any) []access.Need {
			return []access.Need{{Action: "iam:PassRole", Resource: "r"}}
		},
	}
	keys := access.Keys{"s:Kind": {"k"}}
	want := []access.Need{{"s:Do", "a/f", keys}, {"s:Do", "b", keys}, {Action: "iam:PassRole", Resource: "r"}}
	if d := cmp.Diff(want, rule.Needs(t.Context(), in)); d != "" {
		t.Error(d)
	}
	want = []access.Need{{Action: "s:List", Resource: "*"}}
	if d := cmp.Diff(want, access.Rule{Action: "s:List"}.Needs(t.Context(), in)); d != "" {
		t.Error(d)
	}
	if got := (access.Rule{}).Needs(t.Context(), in); len(got) != 0 {
		t.Errorf("without an action: %v", got)
	}
}

func TestTextOfWhatHasNone(t *testing.T) {
	for _, in := range []any{nil, input{}, (*input)(nil), &input{}, new(int)} {
		for _, member := range []string{"Name", "Count", "Absent"} {
			if got := access.Text(in, member); got != "" {
				t.Errorf("%T %s: %q", in, member, got)
			}
		}
	}
}
