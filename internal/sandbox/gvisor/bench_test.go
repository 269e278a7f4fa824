package gvisor_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/sandbox"
)

// bootstrap is the least a Node program needs to say hello, import a module
// and echo: packets of a kind, three zeros, a length and a body.
const bootstrap = `'use strict';
const s = new (require('net').Socket)({ fd: 3, readable: true, writable: true });
let handler, buf = Buffer.alloc(0);
const send = (k, b) => { const h = Buffer.alloc(8); h[0] = k.charCodeAt(0); h.writeUInt32LE(b.length, 4); s.write(Buffer.concat([h, b])); };
s.on('data', d => {
  buf = buf.length ? Buffer.concat([buf, d]) : d;
  while (buf.length >= 8 && buf.length >= 8 + buf.readUInt32LE(4)) {
    const n = buf.readUInt32LE(4), kind = buf[0], body = buf.subarray(8, 8 + n);
    buf = buf.subarray(8 + n);
    if (kind === 73) { handler = require(body.toString()).handler; send('K', Buffer.alloc(0)); }
    if (kind === 67) send('R', Buffer.from(JSON.stringify(handler(JSON.parse(body.toString())))));
  }
});
s.on('close', () => process.exit(0));
send('H', Buffer.alloc(0));
`

type nodejs struct {
	sandbox.Sandbox
	tb testing.TB
}

var benchID atomic.Int64

// startNode starts Node in a sandbox and waits for its hello.
func startNode(tb testing.TB, d sandbox.Driver, dir string) *nodejs {
	tb.Helper()
	s, err := d.Start(context.Background(), sandbox.Spec{
		ID:   fmt.Sprintf("bench-%d", benchID.Add(1)),
		Args: []string{"/usr/bin/node", "/var/runtime/bootstrap.js"}, Dir: "/",
		Env:      []string{"HOME=/tmp"},
		Mounts:   []sandbox.Mount{{Host: filepath.Join(dir, "bootstrap.js"), Inside: "/var/runtime/bootstrap.js"}},
		TmpBytes: 512 << 20, Network: true,
		Limits: sandbox.Limits{MemoryBytes: 1 << 30, Processes: 1024, OpenFiles: 1024},
	})
	if err != nil {
		tb.Fatal(err)
	}
	n := &nodejs{s, tb}
	n.receive('H')
	return n
}

func (n *nodejs) send(kind byte, body string) {
	n.tb.Helper()
	b := append([]byte{kind, 0, 0, 0}, binary.LittleEndian.AppendUint32(nil, uint32(len(body)))...)
	if _, err := n.Conn().Write(append(b, body...)); err != nil {
		n.tb.Fatal(err)
	}
}

func (n *nodejs) receive(want byte) {
	n.tb.Helper()
	var h [8]byte
	n.Conn().SetReadDeadline(time.Now().Add(30 * time.Second))
	if _, err := io.ReadFull(n.Conn(), h[:]); err != nil {
		out := make([]byte, 4096)
		k, _ := n.Output().Read(out)
		n.tb.Fatalf("%v %+v %s", err, n.Exit(), out[:k])
	}
	if h[0] != want {
		n.tb.Fatalf("kind %c", h[0])
	}
	if _, err := io.CopyN(io.Discard, n.Conn(), int64(binary.LittleEndian.Uint32(h[4:]))); err != nil {
		n.tb.Fatal(err)
	}
}

func (n *nodejs) call() {
	n.send('C', `{"name":"x"}`)
	n.receive('R')
}

// specialise attaches code, imports it and makes the first call.
func (n *nodejs) specialise(dir string) {
	n.tb.Helper()
	if err := n.Attach(filepath.Join(dir, "code"), sandbox.PlaceTask); err != nil {
		n.tb.Fatal(err)
	}
	n.send('I', "/var/task/index.js")
	n.receive('K')
	n.call()
}

func benchDir(tb testing.TB) string {
	tb.Helper()
	dir := tb.TempDir()
	files := map[string]string{
		"bootstrap.js":  bootstrap,
		"code/index.js": "exports.handler = e => ({ hello: e.name });",
	}
	if err := os.Mkdir(filepath.Join(dir, "code"), 0o755); err != nil {
		tb.Fatal(err)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			tb.Fatal(err)
		}
	}
	return dir
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
	n, dir := newNode(b), benchDir(b)
	var boot, special, end []time.Duration
	for b.Loop() {
		t := time.Now()
		p := startNode(b, n, dir)
		boot = append(boot, time.Since(t))
		time.Sleep(50 * time.Millisecond) // as a member of the pool would
		t = time.Now()
		p.specialise(dir)
		special = append(special, time.Since(t))
		t = time.Now()
		if err := p.Close(); err != nil {
			b.Fatal(err)
		}
		end = append(end, time.Since(t))
	}
	report(b, "boot", boot)
	report(b, "specialise", special)
	report(b, "close", end)
}

func BenchmarkStartGuest(b *testing.B) {
	n := newNode(b)
	var times []time.Duration
	for b.Loop() {
		t := time.Now()
		s, err := n.Start(context.Background(), sandbox.Spec{
			ID: "first", Args: []string{"/var/runtime/guest"}, Dir: "/", Network: true,
			Mounts: []sandbox.Mount{{Host: guest, Inside: "/var/runtime/guest"}},
		})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := s.Conn().Read(make([]byte, 1)); err != nil {
			b.Fatal(err)
		}
		times = append(times, time.Since(t))
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
	report(b, "first-byte", times)
}

// BenchmarkStartTogether starts sandboxes as a refilled pool does, a few at once.
func BenchmarkStartTogether(b *testing.B) {
	n, dir := newNode(b), benchDir(b)
	var wg sync.WaitGroup
	turns := make(chan struct{}, 2*runtime.NumCPU())
	ps := make([]*nodejs, b.N)
	start := time.Now()
	for i := range ps {
		turns <- struct{}{}
		wg.Go(func() {
			ps[i] = startNode(b, n, dir)
			<-turns
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/time.Since(start).Seconds(), "starts/s")
	start = time.Now()
	for _, p := range ps {
		wg.Go(func() {
			if err := p.Close(); err != nil {
				b.Error(err)
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/time.Since(start).Seconds(), "ends/s")
}

func BenchmarkWarm(b *testing.B) {
	n, dir := newNode(b), benchDir(b)
	p := startNode(b, n, dir)
	p.specialise(dir)
	var times []time.Duration
	for b.Loop() {
		t := time.Now()
		p.call()
		times = append(times, time.Since(t))
	}
	report(b, "echo", times)
}

func BenchmarkWarmMany(b *testing.B) {
	n, dir := newNode(b), benchDir(b)
	var ps []*nodejs
	for range 16 {
		p := startNode(b, n, dir)
		p.specialise(dir)
		ps = append(ps, p)
	}
	b.ResetTimer()
	var wg sync.WaitGroup
	start := time.Now()
	for _, p := range ps {
		wg.Go(func() {
			for range b.N {
				p.call()
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(len(ps)*b.N)/time.Since(start).Seconds(), "calls/s")
}

// BenchmarkIdle measures what one more idle sandbox takes, and freezing it.
func BenchmarkIdle(b *testing.B) {
	n, dir := newNode(b), benchDir(b)
	var freeze, thaw []time.Duration
	before := available(b)
	var ps []*nodejs
	for b.Loop() {
		p := startNode(b, n, dir)
		t := time.Now()
		if err := p.Freeze(); err != nil {
			b.Fatal(err)
		}
		freeze = append(freeze, time.Since(t))
		t = time.Now()
		if err := p.Thaw(); err != nil {
			b.Fatal(err)
		}
		thaw = append(thaw, time.Since(t))
		ps = append(ps, p)
	}
	b.ReportMetric(float64(before-available(b))/float64(len(ps))/1024, "MiB/sandbox")
	report(b, "freeze", freeze)
	report(b, "thaw", thaw)
}

// available is the machine's free memory, in KiB.
func available(b *testing.B) int {
	b.Helper()
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		b.Fatal(err)
	}
	var total, free, avail int
	if _, err := fmt.Sscanf(string(text), "MemTotal: %d kB\nMemFree: %d kB\nMemAvailable: %d kB", &total, &free, &avail); err != nil {
		b.Fatal(err)
	}
	return avail
}
