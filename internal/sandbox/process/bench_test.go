package process_test

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/sandbox"
)

// echo is a Node program that says hello and sends back what it gets.
const echo = `const s = new (require('net').Socket)({ fd: 3, readable: true, writable: true });
s.on('data', d => s.write(d));
s.on('close', () => process.exit(0));
s.write('!');
`

func startEcho(b *testing.B, n *node, script string) sandbox.Sandbox {
	b.Helper()
	s, err := n.Start(context.Background(), sandbox.Spec{
		ID: "echo", Args: []string{"/usr/bin/node", "/var/runtime/echo.js"}, Dir: "/", Network: true,
		Mounts:   []sandbox.Mount{{Host: script, Inside: "/var/runtime/echo.js"}},
		TmpBytes: 512 << 20,
		Limits:   sandbox.Limits{MemoryBytes: 1 << 30, Processes: 1024, OpenFiles: 1024},
	})
	if err != nil {
		b.Fatal(err)
	}
	read(b, s)
	return s
}

func read(b *testing.B, s sandbox.Sandbox) {
	b.Helper()
	if _, err := io.ReadFull(s.Conn(), make([]byte, 1)); err != nil {
		b.Fatal(err)
	}
}

func writeEcho(b *testing.B) string {
	b.Helper()
	script := filepath.Join(b.TempDir(), "echo.js")
	if err := os.WriteFile(script, []byte(echo), 0o644); err != nil {
		b.Fatal(err)
	}
	return script
}

// report gives percentiles of measured times, in milliseconds.
func report(b *testing.B, name string, times []time.Duration) {
	slices.Sort(times)
	at := func(q float64) float64 {
		return float64(times[int(float64(len(times)-1)*q)].Microseconds()) / 1000
	}
	b.ReportMetric(at(0.5), name+"-p50-ms")
	b.ReportMetric(at(0), name+"-min-ms")
	b.ReportMetric(0, "ns/op")
}

func BenchmarkStartNode(b *testing.B) {
	n, script := newNode(b), writeEcho(b)
	var boot, attach, end []time.Duration
	for b.Loop() {
		t := time.Now()
		s := startEcho(b, n, script)
		boot = append(boot, time.Since(t))
		t = time.Now()
		if err := s.Attach(filepath.Dir(script), sandbox.PlaceTask); err != nil {
			b.Fatal(err)
		}
		attach = append(attach, time.Since(t))
		t = time.Now()
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
		end = append(end, time.Since(t))
	}
	report(b, "boot", boot)
	report(b, "attach", attach)
	report(b, "close", end)
}

func BenchmarkStartGuest(b *testing.B) {
	n := newNode(b)
	var start, first []time.Duration
	for b.Loop() {
		t := time.Now()
		s, err := n.Start(context.Background(), spec("first"))
		if err != nil {
			b.Fatal(err)
		}
		start = append(start, time.Since(t))
		read(b, s)
		first = append(first, time.Since(t))
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
	report(b, "start", start)
	report(b, "first-byte", first)
}

func BenchmarkWarm(b *testing.B) {
	n := newNode(b)
	s := startEcho(b, n, writeEcho(b))
	defer s.Close()
	var times []time.Duration
	for b.Loop() {
		t := time.Now()
		if _, err := s.Conn().Write([]byte("?")); err != nil {
			b.Fatal(err)
		}
		read(b, s)
		times = append(times, time.Since(t))
	}
	report(b, "echo", times)
}

func BenchmarkFreezeThaw(b *testing.B) {
	n := newNode(b)
	s := startEcho(b, n, writeEcho(b))
	defer s.Close()
	var freeze, thaw []time.Duration
	for b.Loop() {
		t := time.Now()
		check(b, s.Freeze())
		freeze = append(freeze, time.Since(t))
		t = time.Now()
		check(b, s.Thaw())
		thaw = append(thaw, time.Since(t))
	}
	report(b, "freeze", freeze)
	report(b, "thaw", thaw)
}
