package file_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/mayfly-cloud/mayfly/internal/blob"
	"github.com/mayfly-cloud/mayfly/internal/blob/file"
)

func TestPutOpenDelete(t *testing.T) {
	s, _ := open(t)
	for _, size := range []int{0, 1, 256 << 10, 256<<10 + 1, 3 << 20} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			want := bytes.Repeat([]byte{7}, size)
			d, n, err := s.Put(t.Context(), iotest.HalfReader(bytes.NewReader(want)), int64(size))
			if err != nil || d != digest(want) || n != int64(size) {
				t.Fatalf("Put = %s, %d, %v", d, n, err)
			}
			if again, _, err := s.Put(t.Context(), bytes.NewReader(want), int64(size)); err != nil || again != d {
				t.Errorf("Put again = %s, %v", again, err)
			}
			f, err := s.Open(t.Context(), d)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			got, err := io.ReadAll(f)
			if err != nil || !bytes.Equal(got, want) || f.Size() != int64(size) {
				t.Errorf("read %d bytes of %d, %v", len(got), f.Size(), err)
			}
			var part [1]byte
			if size > 0 {
				if _, err := f.ReadAt(part[:], int64(size)-1); err != nil || part[0] != 7 {
					t.Errorf("ReadAt = %v, %v", part, err)
				}
			}
			if err := s.Verify(t.Context(), d); err != nil {
				t.Error(err)
			}
			if err := errors.Join(s.Delete(t.Context(), d), s.Delete(t.Context(), d)); err != nil {
				t.Errorf("Delete: %v", err)
			}
			if _, err := s.Open(t.Context(), d); !errors.Is(err, blob.ErrNotFound) {
				t.Errorf("Open after Delete = %v", err)
			}
		})
	}
}

// TestPutFails: what cannot be kept leaves nothing behind.
func TestPutFails(t *testing.T) {
	s, dir := open(t)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	fault := errors.New("the caller went away")
	tests := map[string]struct {
		ctx  context.Context
		r    io.Reader
		want error
	}{
		"over the limit": {t.Context(), strings.NewReader("12345"), blob.ErrTooLarge},
		"far over it":    {t.Context(), io.LimitReader(endless{}, 1<<40), blob.ErrTooLarge},
		"reader fails":   {t.Context(), io.MultiReader(strings.NewReader("12"), iotest.ErrReader(fault)), fault},
		"context ended":  {ended, strings.NewReader("1234"), context.Canceled},
	}
	for name, test := range tests {
		if _, _, err := s.Put(test.ctx, test.r, 4); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
	}
	if left := files(t, dir); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestHostileDigest(t *testing.T) {
	s, _ := open(t)
	for _, d := range []blob.Digest{"", "a", "../../etc/passwd", blob.Digest(strings.Repeat("A", 64)), blob.Digest("ab/" + strings.Repeat("a", 61))} {
		if _, err := s.Open(t.Context(), d); err == nil || errors.Is(err, blob.ErrNotFound) {
			t.Errorf("Open(%q) = %v", d, err)
		}
		if err := s.Delete(t.Context(), d); err == nil {
			t.Errorf("Delete(%q) did not fail", d)
		}
	}
}

// TestConfined: a link planted in the folder leads nowhere.
func TestConfined(t *testing.T) {
	s, dir := open(t)
	outside := t.TempDir()
	d := digest([]byte("x"))
	if err := os.Symlink(outside, filepath.Join(dir, string(d[:2]))); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Put(t.Context(), strings.NewReader("x"), 1); err == nil {
		t.Error("Put followed a link out of its folder")
	}
	if left := files(t, outside); len(left) != 0 {
		t.Errorf("written outside: %v", left)
	}
}

func TestDamage(t *testing.T) {
	s, dir := open(t)
	d, _, err := s.Put(t.Context(), strings.NewReader("content"), 100)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, string(d[:2]), string(d))
	for _, damage := range []string{"c0ntent", "conten", ""} {
		if err := os.WriteFile(name, []byte(damage), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := s.Verify(t.Context(), d); err == nil {
			t.Errorf("%q passed for the blob", damage)
		}
		f, err := s.Open(t.Context(), d)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, f); err == nil {
			t.Errorf("%q was read without an error", damage)
		}
		f.Close()
	}
	if _, _, err := s.Put(t.Context(), strings.NewReader("content"), 100); err != nil {
		t.Fatal(err)
	}
	if err := s.Verify(t.Context(), d); err != nil {
		t.Errorf("putting it again did not heal it: %v", err)
	}
}

// TestSweep: what a crash left half-written is gone, and what was kept is not.
func TestSweep(t *testing.T) {
	s, dir := open(t)
	d, _, err := s.Put(t.Context(), strings.NewReader("kept"), 100)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "tmp", "HALF"), []byte("ha"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.Close()
	s, err = file.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if got, want := files(t, dir), []string{filepath.Join(string(d[:2]), string(d))}; len(got) != 1 || got[0] != want[0] {
		t.Errorf("files %v, want %v", got, want)
	}
}

// TestShared: a store that is opened in a folder where another one writes takes
// nothing away from it, and finds what it has written.
func TestShared(t *testing.T) {
	s, dir := open(t)
	r, w := io.Pipe()
	type put struct {
		d   blob.Digest
		err error
	}
	done := make(chan put, 1)
	go func() {
		d, _, err := s.Put(context.Background(), r, 100)
		done <- put{d, err}
	}()
	if _, err := w.Write([]byte("half, ")); err != nil { // returns when it was read
		t.Fatal(err)
	}
	other, err := file.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if _, err := w.Write([]byte("whole")); err != nil {
		t.Fatal(err)
	}
	w.Close()
	got := <-done
	if got.err != nil {
		t.Fatal(got.err)
	}
	if err := other.Verify(t.Context(), got.d); err != nil {
		t.Error(err)
	}
}

func TestOwnerOnly(t *testing.T) {
	s, dir := open(t)
	if _, _, err := s.Put(t.Context(), strings.NewReader("x"), 1); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(dir, func(p string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		st, err := e.Info()
		if err == nil && st.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", p, st.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestTogether: many put the same and different blobs while others read.
func TestTogether(t *testing.T) {
	s, dir := open(t)
	var wg sync.WaitGroup
	for w := range 16 {
		wg.Go(func() {
			for i := range 20 {
				want := []byte(fmt.Sprint("blob ", (w+i)%7))
				d, _, err := s.Put(t.Context(), bytes.NewReader(want), 100)
				if err == nil {
					err = s.Verify(t.Context(), d)
				}
				if err != nil {
					t.Errorf("%s: %v", want, err)
				}
			}
		})
	}
	wg.Wait()
	if left := files(t, dir); len(left) != 7 {
		t.Errorf("%d files, want 7: %v", len(left), left)
	}
}

func BenchmarkPut(b *testing.B) {
	s, _ := open(b)
	for _, size := range []int{4 << 10, 1 << 20} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			b.SetBytes(int64(size))
			content := make([]byte, size)
			for i := 0; b.Loop(); i++ {
				copy(content, fmt.Sprint(i))
				if _, _, err := s.Put(b.Context(), bytes.NewReader(content), int64(size)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

func open(t testing.TB) (*file.Store, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "deep", "blobs")
	s, err := file.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, dir
}

func digest(b []byte) blob.Digest {
	sum := sha256.Sum256(b)
	return blob.Digest(hex.EncodeToString(sum[:]))
}

// files gives the paths of all files below dir.
func files(t *testing.T, dir string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(p string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			p, err = filepath.Rel(dir, p)
			names = append(names, p)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}
