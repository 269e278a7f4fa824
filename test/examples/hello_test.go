package examples_test

import (
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/mayfly-cloud/mayfly/test/node"
)

// greeting is what every hello example answers.
type greeting struct {
	Message, Started string
	Calls            int
}

func TestHelloInEveryLanguage(t *testing.T) {
	n := node.Start(t)
	for _, tt := range []struct{ name, runtime string }{
		{"hello-node", "nodejs"},
		{"hello-python", "python3."},
		{"hello-go", "provided.al2023"},
		{"hello-java", "java"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var made struct{ URL, Runtime string }
			n.JSON(&made, "deploy", "examples/"+tt.name)
			if !strings.HasPrefix(made.Runtime, tt.runtime) {
				t.Errorf("deployed for %s, want %s", made.Runtime, tt.runtime)
			}
			first := call(t, n, tt.name, `{"name":"Ada"}`)
			second := call(t, n, tt.name, `{"name":"Grace"}`)
			third := visit(t, n, made.URL+"?name=Edith")
			for i, want := range []string{"Hello, Ada!", "Hello, Grace!", "Hello, Edith!"} {
				got := []greeting{first, second, third}[i]
				if got.Message != want || got.Calls != i+1 || got.Started == "" || got.Started != first.Started {
					t.Errorf("call %d was answered %+v, want %q from the environment of %+v", i+1, got, want, first)
				}
			}
			node.Eventually(t, 20*time.Second, "the log has the second greeting", func() bool {
				return strings.Contains(n.Must("logs", tt.name), "greeting Grace")
			})
		})
	}
}

func call(t *testing.T, n *node.Node, name, event string) greeting {
	t.Helper()
	return parse(t, n.Must("invoke", "-q", name, event))
}

// visit calls a function by its URL.
func visit(t *testing.T, n *node.Node, url string) greeting {
	t.Helper()
	res, err := n.Browser().Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, string(b))
}

func parse(t *testing.T, text string) greeting {
	t.Helper()
	var g greeting
	if err := json.Unmarshal([]byte(text), &g); err != nil {
		t.Fatalf("decode %s: %v", text, err)
	}
	return g
}
