package gateway_test

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
)

// discard takes an answer at no cost of its own.
type discard struct {
	h      http.Header
	status int
}

func (d *discard) Header() http.Header         { return d.h }
func (d *discard) WriteHeader(status int)      { d.status = status }
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }

// BenchmarkInvoke is the whole of the gateway's part in a small call: parse, verify,
// authorise, decode, encode, and an operation that echoes.
func BenchmarkInvoke(b *testing.B) {
	d := openDoor(b)
	body := []byte(`{"hello":"world"}`)
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(text(b, d.signed(b, "lambda", "POST", invocations, body)))))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		w := &discard{h: http.Header{}}
		again := *r
		again.Body = io.NopCloser(bytes.NewReader(body))
		d.handler.ServeHTTP(w, &again)
		if w.status != http.StatusOK {
			b.Fatal(w.status)
		}
	}
}

// BenchmarkInvokeOverHTTP adds the connection and the client.
func BenchmarkInvokeOverHTTP(b *testing.B) {
	d := openDoor(b)
	body := []byte(`{"hello":"world"}`)
	r := d.signed(b, "lambda", "POST", invocations, body)
	for b.Loop() {
		again := r.Clone(b.Context())
		again.Body = io.NopCloser(bytes.NewReader(body))
		resp, err := d.server.Client().Do(again)
		if err != nil {
			b.Fatal(err)
		}
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
}
