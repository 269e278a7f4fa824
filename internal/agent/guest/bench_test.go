package guest_test

import (
	"bytes"
	"io"
	"net"
	"os"
	"testing"

	"github.com/mayfly-cloud/mayfly/internal/agent/frame"
	"github.com/mayfly-cloud/mayfly/internal/agent/guest"
)

// BenchmarkCall is one warm call through the agent, with a runtime that does
// nothing but read and write.
func BenchmarkCall(b *testing.B) {
	w, theirs := pair(b)
	l, err := guest.Listen("127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	rt := &proc{exit: make(chan guest.Exit, 1), out: os.NewFile(^uintptr(0), "none")}
	a := guest.New(guest.Config{Control: guest.NewSocket(theirs), Listener: l, Output: os.Stdout,
		Start: func(guest.Command) (guest.Process, error) { return rt, nil }})
	ended := make(chan error, 1)
	go func() { ended <- a.Run() }()
	w.expect(frame.Hello)
	w.send(frame.Init, frame.InitBody{Args: []string{"x"}})
	c, err := net.Dial("tcp", l.Addr())
	if err != nil {
		b.Fatal(err)
	}
	ask := []byte("GET " + next + " HTTP/1.1\r\nHost: h\r\nUser-Agent: bench\r\n\r\n")
	tell := []byte("POST " + response + " HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n" +
		"Trailer: Lambda-Runtime-Function-Error-Type\r\n\r\n7\r\n{\"a\":1}\r\n0\r\n\r\n")
	call, err := frame.AppendInvoke(nil, id1, frame.Call{ARN: "arn:aws:lambda:us-east-1:123456789012:function:f", DeadlineMs: 1, TraceID: "Root=1-2-3;Sampled=1"}, []byte(`{"a":1}`))
	if err != nil {
		b.Fatal(err)
	}
	in, out := make([]byte, 4096), make([]byte, frame.HeaderLen+frame.IDLen+7)
	do := func(p []byte) {
		if _, err := c.Write(p); err != nil {
			b.Fatal(err)
		}
	}
	read := func() {
		if n, err := c.Read(in); err != nil || !bytes.HasPrefix(in[:n], []byte("HTTP/1.1 20")) {
			b.Fatalf("%s %v", in[:n], err)
		}
	}
	do(ask)
	w.expect(frame.Ready)
	b.ReportAllocs()
	for b.Loop() {
		w.write(call)
		read()
		do(tell)
		if _, err := io.ReadFull(w.conn, out); err != nil {
			b.Fatal(err)
		}
		read()
		do(ask)
	}
	b.StopTimer()
	c.Close()
	w.conn.Close()
	<-ended
}
