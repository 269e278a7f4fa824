package gateway_test

import (
	"bufio"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/auth"
	"github.com/mayfly-cloud/mayfly/internal/gateway"
	"github.com/mayfly-cloud/mayfly/internal/wire"
)

// pipes is a listener whose connections are made in memory, where time can be
// steered.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}
func (p *pipes) Close() error   { close(p.closed); return nil }
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

// dribble sends a request's bytes one at a time and returns how long the server let
// it, and what it said.
func dribble(t *testing.T, pause time.Duration, request func(root *auth.Root) string) (took time.Duration, said string) {
	synctest.Test(t, func(t *testing.T) {
		root, err := auth.OpenRoot(t.TempDir(), account)
		if err != nil {
			t.Fatal(err)
		}
		log := slog.New(slog.DiscardHandler)
		g := gateway.New(gateway.Config{
			APIs: []*wire.Router{lambdaAPI(t)}, Permissions: gateway.NewPermissions(gateway.PermissionsConfig{Identities: ownerOnly{}}),
			Auth: auth.NewVerifier(auth.Config{Keys: root, Region: region}),
		})
		p := &pipes{make(chan net.Conn), make(chan struct{})}
		server := gateway.Server(g, log)
		go server.Serve(p)
		client, conn := net.Pipe()
		p.conns <- conn
		start := time.Now()
		answer := make(chan string)
		go func() {
			resp, err := http.ReadResponse(bufio.NewReader(client), nil)
			took = time.Since(start)
			if err != nil {
				answer <- "nothing"
				return
			}
			resp.Body.Close()
			answer <- resp.Status
		}()
		var writing sync.WaitGroup
		writing.Go(func() {
			for _, c := range []byte(request(root)) {
				if _, err := client.Write([]byte{c}); err != nil {
					return
				}
				time.Sleep(pause)
			}
		})
		said = <-answer
		client.Close()
		server.Close()
		writing.Wait()
	})
	return took, said
}

func TestSlowCallers(t *testing.T) {
	d := &door{url: "http://localhost"}
	body := func(root *auth.Root) string {
		d.root = root
		return text(t, d.signed(t, "lambda", "POST", invocations, []byte(strings.Repeat("a", 1000))))
	}
	t.Run("patient enough", func(t *testing.T) {
		if took, said := dribble(t, time.Millisecond, body); said != "200 OK" {
			t.Errorf("%s after %v", said, took)
		}
	})
	t.Run("slow headers", func(t *testing.T) {
		if took, said := dribble(t, time.Second, body); took > 11*time.Second || said == "200 OK" {
			t.Errorf("%s after %v", said, took)
		}
	})
	t.Run("slow body", func(t *testing.T) {
		slow := func(root *auth.Root) string { head, _, _ := strings.Cut(body(root), "aaaa"); return head + "aaaa" }
		if took, said := dribble(t, 5*time.Millisecond, slow); took > 30*time.Second || said != "408 Request Timeout" {
			t.Errorf("%s after %v", said, took)
		}
	})
	t.Run("slow body of a stranger", func(t *testing.T) {
		slow := func(root *auth.Root) string {
			return "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n"
		}
		if took, said := dribble(t, 0, slow); took > 30*time.Second || said != "403 Forbidden" {
			t.Errorf("%s after %v", said, took)
		}
	})
}

// TestAnswerCutOffByAPanic sees that half an answer does not look like a whole one.
func TestAnswerCutOffByAPanic(t *testing.T) {
	d := openDoor(t, func(c *gateway.Config) {
		c.Sites = []gateway.Site{{Name: "x", Match: func(string) bool { return true }, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, "half an ")
			http.NewResponseController(w).Flush()
			panic("oh")
		})}}
	})
	resp, err := d.server.Client().Get(d.url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if b, err := io.ReadAll(resp.Body); err == nil {
		t.Errorf("read %q to the end", b)
	}
	if !strings.Contains(d.log.String(), "handler panicked") {
		t.Error("the panic is not in the log")
	}
}
