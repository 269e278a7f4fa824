package invoke_test

import (
	"bufio"
	"net"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/agent/frame"
	"github.com/mayfly-cloud/mayfly/internal/id"
	"github.com/mayfly-cloud/mayfly/internal/invoke"
	"github.com/mayfly-cloud/mayfly/internal/sandbox"
	"github.com/mayfly-cloud/mayfly/internal/worker/workertest"
)

// instant is a program that answers as fast as a program can.
func instant(g *workertest.Guest) sandbox.Exit {
	if g.Hello() != nil || g.NextInit() != nil || g.Send(frame.Ready) != nil {
		return sandbox.Exit{}
	}
	answer(g.Conn)
	return sandbox.Exit{}
}

// answer answers every Invoke on conn with {}.
func answer(conn net.Conn) {
	r := bufio.NewReader(conn)
	buf := make([]byte, 64<<10)
	var out []byte
	for {
		_, body, err := frame.Read(r, buf)
		if err != nil {
			return
		}
		out = frame.Append(out[:0], frame.Result, body[:frame.IDLen], []byte("{}"))
		if _, err := conn.Write(out); err != nil {
			return
		}
	}
}

// BenchmarkWarm is a warm call from Invoke to its return, with a program that
// answers at once. BenchmarkSocket is what the socket alone takes: the same
// frames, to and fro.
func BenchmarkWarm(b *testing.B) {
	c := start(b, instant)
	req := invoke.Request{ID: id.UUID(), Function: "hello", Payload: []byte(`{"hello":"world"}`)}
	if _, err := c.Invoke(b.Context(), req); err != nil {
		b.Fatal(err)
	}
	measure(b, func() {
		if _, err := c.Invoke(b.Context(), req); err != nil {
			b.Fatal(err)
		}
	})
}

func BenchmarkSocket(b *testing.B) {
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		b.Fatal(err)
	}
	ours, theirs := conn(b, fds[0]), conn(b, fds[1])
	go answer(theirs)
	defer theirs.Close()
	defer ours.Close()
	call, err := frame.AppendInvoke(nil, id.UUID(), frame.Call{ARN: function, DeadlineMs: 1}, []byte(`{"hello":"world"}`))
	if err != nil {
		b.Fatal(err)
	}
	r, buf := bufio.NewReader(ours), make([]byte, 4<<10)
	measure(b, func() {
		if _, err := ours.Write(call); err != nil {
			b.Fatal(err)
		}
		if _, _, err := frame.Read(r, buf); err != nil {
			b.Fatal(err)
		}
	})
}

func measure(b *testing.B, f func()) {
	var took []time.Duration
	b.ReportAllocs()
	for b.Loop() {
		began := time.Now()
		f()
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2])/1e3, "p50-µs")
	b.ReportMetric(float64(took[len(took)*99/100])/1e3, "p99-µs")
}

func conn(b *testing.B, fd int) net.Conn {
	b.Helper()
	c, err := workertest.FileConn(fd)
	if err != nil {
		b.Fatal(err)
	}
	return c
}
