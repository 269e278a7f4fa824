package code_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"io/fs"
	"strings"
	"testing"

	"github.com/mayfly-cloud/mayfly/internal/code"
	"github.com/mayfly-cloud/mayfly/internal/fault"
)

// member is one entry of a test's archive.
type member struct {
	name, content string
	mode          fs.FileMode
}

// memory is a blob.File of bytes.
type memory struct{ *bytes.Reader }

func (memory) Close() error { return nil }

func archive(tb testing.TB, members ...member) memory {
	tb.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, m := range members {
		h := &zip.FileHeader{Name: m.name, Method: zip.Deflate}
		h.SetMode(m.mode)
		f, err := w.CreateHeader(h)
		if err != nil {
			tb.Fatal(err)
		}
		if _, err := io.WriteString(f, m.content); err != nil {
			tb.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return memory{bytes.NewReader(b.Bytes())}
}

func TestCheckAccepts(t *testing.T) {
	f := archive(t,
		member{"lib/", "", fs.ModeDir | 0o755},
		member{"lib/index.js", "hello", 0o644},
		member{"./bin/run", "#!", 0o755},
		member{"lib/current", "index.js", fs.ModeSymlink | 0o777},
		member{"bin/lib", "../lib", fs.ModeSymlink | 0o777},
		member{"C: odd but fine", "", 0},
	)
	got, err := code.Check(context.Background(), f, code.Default)
	if err != nil {
		t.Fatal(err)
	}
	if want := (code.Info{Files: 5, UnpackedBytes: 5 + 2 + 8 + 6}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestCheckRefuses(t *testing.T) {
	link := fs.ModeSymlink | 0o777
	small := code.Limits{ZippedBytes: 1 << 20, UnpackedBytes: 1000, Entries: 5}
	tests := []struct {
		name    string
		members []member
		says    string
	}{
		{"parent", []member{{"../x", "", 0}}, "leads out"},
		{"parent inside", []member{{"a/../../x", "", 0}}, "leads out"},
		{"absolute", []member{{"/etc/passwd", "", 0}}, "is absolute"},
		{"backslash", []member{{`a\..\..\x`, "", 0}}, "backslash"},
		{"nul", []member{{"a\x00b", "", 0}}, "NUL"},
		{"no name", []member{{"", "", 0}}, "is empty"},
		{"long", []member{{strings.Repeat("a/", 600) + "b", "", 0}}, "longer than"},
		{"long part", []member{{strings.Repeat("a", 256), "", 0}}, "part longer"},
		{"deep", []member{{strings.Repeat("a/", 70) + "b", "", 0}}, "directories deep"},
		{"twice", []member{{"a", "", 0}, {"./a", "", 0}}, "twice"},
		{"file and directory", []member{{"a", "", 0}, {"a/", "", fs.ModeDir}}, "twice"},
		{"below a file", []member{{"a", "", 0}, {"a/b", "", 0}}, "no directory"},
		{"below a link", []member{{"a", ".", link}, {"a/b", "", 0}}, "no directory"},
		{"absolute link", []member{{"a", "/etc", link}}, "leads out"},
		{"link up", []member{{"a/b", "../../etc", link}}, "leads out"},
		{"link up through a link", []member{{"x/top", "..", link}, {"out", "x/top/../..", link}}, "leads out"},
		{"links in a circle", []member{{"a", "b", link}, {"b", "a", link}}, "circle"},
		{"empty link", []member{{"a", "", link}}, "leads out"},
		{"device", []member{{"null", "", fs.ModeDevice | fs.ModeCharDevice | 0o666}}, "neither"},
		{"pipe", []member{{"p", "", fs.ModeNamedPipe | 0o666}}, "neither"},
		{"bomb", []member{{"zeros", strings.Repeat("\x00", 1001), 0}}, "Unzipped size must be smaller than 1000 bytes"},
		{"bomb in parts", []member{{"a", strings.Repeat("a", 600), 0}, {"b", strings.Repeat("a", 600), 0}}, "Unzipped size"},
		{"entries", []member{{"a", "", 0}, {"b", "", 0}, {"c", "", 0}, {"d", "", 0}, {"e", "", 0}, {"f", "", 0}}, "at most 5"},
		{"nothing", nil, "non-empty zip"},
		{"only directories", []member{{"a/", "", fs.ModeDir}}, "non-empty zip"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := code.Check(context.Background(), archive(t, tt.members...), small)
			if !fault.Is(err, "InvalidParameterValueException") || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("got %v, want a refusal that says %q", err, tt.says)
			}
		})
	}
}

func TestCheckRefusesDamage(t *testing.T) {
	good := archive(t, member{"index.js", strings.Repeat("content ", 100), 0o644})
	b := make([]byte, good.Len())
	good.ReadAt(b, 0)
	directory := bytes.Index(b, []byte("PK\x01\x02"))
	tests := map[string]func(b []byte) []byte{
		"no archive":        func([]byte) []byte { return []byte("hello") },
		"cut short":         func(b []byte) []byte { return b[:len(b)-10] },
		"wrong content":     func(b []byte) []byte { b[40] ^= 0xff; return b },
		"wrong checksum":    func(b []byte) []byte { b[directory+16] ^= 1; return b },
		"declares less":     func(b []byte) []byte { binary.LittleEndian.PutUint32(b[directory+24:], 10); return b },
		"declares more":     func(b []byte) []byte { binary.LittleEndian.PutUint32(b[directory+24:], 9000); return b },
		"unknown method":    func(b []byte) []byte { b[directory+10] = 99; return b },
		"encrypted":         func(b []byte) []byte { b[directory+8] |= 1; return b },
		"data out of bound": func(b []byte) []byte { binary.LittleEndian.PutUint32(b[directory+42:], 1<<30); return b },
	}
	for name, damage := range tests {
		t.Run(name, func(t *testing.T) {
			f := memory{bytes.NewReader(damage(bytes.Clone(b)))}
			_, err := code.Check(context.Background(), f, code.Default)
			if !fault.Is(err, "InvalidParameterValueException") || !strings.Contains(err.Error(), "Could not unzip uploaded file") {
				t.Errorf("got %v, want a refusal", err)
			}
		})
	}
}

func TestCheckBoundsItsDirectory(t *testing.T) {
	record := make([]byte, 46)
	copy(record, "PK\x01\x02")
	b := bytes.Repeat(record, 1<<20) // 46 MiB: a million entries
	end := make([]byte, 22)
	copy(end, "PK\x05\x06")
	binary.LittleEndian.PutUint32(end[12:], uint32(len(b)))
	f := memory{bytes.NewReader(append(b, end...))}
	_, err := code.Check(context.Background(), f, code.Default)
	if err == nil || !strings.Contains(err.Error(), "directory is larger") {
		t.Errorf("got %v, want the directory refused by its size", err)
	}
}

func TestCheckRefusesTooLargeAnArchive(t *testing.T) {
	l := code.Default
	l.ZippedBytes = 10
	_, err := code.Check(context.Background(), archive(t, member{"a", "", 0}), l)
	if !fault.Is(err, "InvalidParameterValueException") {
		t.Errorf("got %v", err)
	}
}

// FuzzCheck holds that nothing a stranger sends makes Check fail otherwise than
// with a fault, and that what it accepts unpacks to what it said.
func FuzzCheck(f *testing.F) {
	for _, m := range [][]member{
		{{"index.js", "x", 0o644}},
		{{"a/", "", fs.ModeDir}, {"a/b", "y", 0o755}, {"l", "a/b", fs.ModeSymlink}},
		{{"../x", "", 0}}, {{"x/top", "..", fs.ModeSymlink}, {"out", "x/top/..", fs.ModeSymlink}},
	} {
		a := archive(f, m...)
		b := make([]byte, a.Len())
		a.ReadAt(b, 0)
		f.Add(b)
	}
	limits := code.Limits{ZippedBytes: 1 << 20, UnpackedBytes: 1 << 20, Entries: 100}
	f.Fuzz(func(t *testing.T, b []byte) {
		info, err := code.Check(context.Background(), memory{bytes.NewReader(b)}, limits)
		if err != nil {
			if !fault.Is(err, "InvalidParameterValueException") {
				t.Fatalf("not a fault: %v", err)
			}
			return
		}
		if info.UnpackedBytes > limits.UnpackedBytes {
			t.Fatalf("accepted %d bytes", info.UnpackedBytes)
		}
		cache, blobs := newCache(t, 1<<30)
		d := blobs.add(b)
		dir, release, err := cache.Dir(context.Background(), d)
		if err != nil {
			t.Fatalf("accepted and can't be unpacked: %v", err)
		}
		defer release()
		if err := insideOnly(dir); err != nil {
			t.Fatal(err)
		}
	})
}

func TestCheckGivesUpWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := code.Check(ctx, archive(t, member{"a", "b", 0}), code.Default)
	if err == nil || fault.Is(err, "InvalidParameterValueException") {
		t.Errorf("got %v, want the context's end", err)
	}
}
