package bus_test

import (
	"fmt"
	"testing"

	"github.com/mayfly-cloud/mayfly/internal/bus"
)

// BenchmarkPutEvents shows that an event costs the same with ten rules and ten thousand:
// matched by none, which writes nothing, and by one, which is a transaction.
func BenchmarkPutEvents(b *testing.B) {
	for _, rules := range []int{10, 10000} {
		n := start(b)
		for i := range rules {
			name := fmt.Sprint("r", i)
			if _, err := n.service.PutRule(ctx, "", bus.Rule{Name: name, Pattern: fmt.Sprintf(`{"source":["shop"],"detail":{"customer":["c%d"]}}`, i)}, nil); err != nil {
				b.Fatal(err)
			}
		}
		if err := n.service.PutTargets(ctx, "", "r0", []bus.Target{{ID: "t", ARN: queue}}); err != nil {
			b.Fatal(err)
		}
		for _, customer := range []string{"nobody", "c0"} {
			b.Run(fmt.Sprintf("%d rules/%s", rules, customer), func(b *testing.B) {
				entries := []bus.Entry{{Source: "shop", DetailType: "order", Detail: `{"customer":"` + customer + `","items":[1,2,3]}`}}
				for b.Loop() {
					if _, err := n.service.PutEvents(ctx, entries); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// FuzzPutEvents: any entry is an event or refused, and an event is what it says.
func FuzzPutEvents(f *testing.F) {
	n := start(f)
	n.rule(f, "r", shop)
	f.Add("shop", "order", `{"a":[{"b":null}]}`, "default", "arn:x", "$.detail.a")
	f.Add("", "\x00", `{`, "arn:aws:events:eu-central-1:123456789012:event-bus/", "", "")
	f.Fuzz(func(t *testing.T, source, kind, detail, name, resource, path string) {
		results, err := n.service.PutEvents(ctx, []bus.Entry{{Source: source, DetailType: kind, Detail: detail, Bus: name, Resources: []string{resource}}})
		if err != nil {
			t.Fatal(err)
		}
		if (results[0].ID == "") == (results[0].Refused == nil) {
			t.Errorf("got %+v", results[0])
		}
		if _, err := bus.TestPattern(`{"source":["x"]}`, detail); err == nil && detail == "" {
			t.Error("nothing is an event")
		}
	})
}
