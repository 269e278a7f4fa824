package frame_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mayfly-cloud/mayfly/internal/agent/frame"
)

const id = "0d5a4bd4-91d5-4b1c-9c7e-1f2b3c4d5e6f"

func TestReadGivesWhatAppendWrote(t *testing.T) {
	var b []byte
	b = frame.Append(b, frame.Hello)
	b = frame.Append(b, frame.Result, []byte(id), []byte(`{"a":1}`))
	r := bytes.NewReader(b)
	for _, want := range []struct {
		kind frame.Kind
		body string
	}{{frame.Hello, ""}, {frame.Result, id + `{"a":1}`}} {
		kind, body, err := frame.Read(r, make([]byte, 4))
		if err != nil {
			t.Fatal(err)
		}
		if kind != want.kind || string(body) != want.body {
			t.Errorf("got %q %q, want %q %q", kind, body, want.kind, want.body)
		}
	}
	if _, _, err := frame.Read(r, nil); err != io.EOF {
		t.Errorf("after the last frame: %v, want io.EOF", err)
	}
}

func TestReadRefuses(t *testing.T) {
	large := []byte{'R', 0, 0, 0, 0, 0, 0, 0}
	binary.LittleEndian.PutUint32(large[4:], frame.MaxBody+1)
	for name, c := range map[string]struct {
		in   []byte
		want error
	}{
		"half a header":   {[]byte("R\x00"), io.ErrUnexpectedEOF},
		"half a body":     {[]byte("R\x00\x00\x00\x05\x00\x00\x00abc"), io.ErrUnexpectedEOF},
		"over the limit":  {large, frame.ErrTooLarge},
		"nothing at all":  {nil, io.EOF},
		"header, no body": {[]byte("R\x00\x00\x00\x05\x00\x00\x00"), io.ErrUnexpectedEOF},
	} {
		if _, _, err := frame.Read(bytes.NewReader(c.in), nil); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func TestInvokeRoundTrip(t *testing.T) {
	want := frame.Call{ARN: "arn:aws:lambda:us-east-1:1:function:f", DeadlineMs: 42, TraceID: "Root=1", Client: `{"a":"b"}`, Stream: true}
	b, err := frame.AppendInvoke(nil, id, want, []byte("payload"))
	if err != nil {
		t.Fatal(err)
	}
	gotID, got, payload, err := frame.CutInvoke(b[frame.HeaderLen:])
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" || gotID != id || string(payload) != "payload" {
		t.Errorf("got %q %q (-want +got):\n%s", gotID, payload, diff)
	}
	if _, err := frame.AppendInvoke(nil, "short", want, nil); !errors.Is(err, frame.ErrBadInvoke) {
		t.Errorf("short id: %v, want %v", err, frame.ErrBadInvoke)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(frame.Append(nil, frame.Hello, []byte("{}")))
	f.Add(frame.Append(frame.Append(nil, frame.Chunk, []byte("ab")), frame.End))
	f.Add([]byte("\xff\xff\xff\xff\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, in []byte) {
		r := bytes.NewReader(in)
		buf := make([]byte, 16)
		for {
			left := r.Len()
			kind, body, err := frame.Read(r, buf)
			if err != nil {
				return
			}
			if got := frame.Append(nil, kind, body); left-r.Len() != len(got) {
				t.Fatalf("read %d bytes for a frame of %d", left-r.Len(), len(got))
			}
		}
	})
}

func FuzzCutInvoke(f *testing.F) {
	b, err := frame.AppendInvoke(nil, id, frame.Call{ARN: "a"}, []byte("p"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b[frame.HeaderLen:])
	f.Add([]byte(id + "\xff\xff\xff\xff{}"))
	f.Fuzz(func(t *testing.T, in []byte) {
		gotID, c, payload, err := frame.CutInvoke(in)
		if err != nil {
			return
		}
		b, err := frame.AppendInvoke(nil, gotID, c, payload)
		if err != nil {
			t.Fatal(err)
		}
		_, again, rest, err := frame.CutInvoke(b[frame.HeaderLen:])
		if err != nil || !bytes.Equal(rest, payload) || !cmp.Equal(again, c) {
			t.Fatalf("%+v %q became %+v %q: %v", c, payload, again, rest, err)
		}
	})
}
