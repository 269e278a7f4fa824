package code_test

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
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/mayfly-cloud/mayfly/internal/blob"
	"github.com/mayfly-cloud/mayfly/internal/code"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// blobs is a blob.Store in memory that counts its Opens.
type blobs struct {
	mu    sync.Mutex
	data  map[blob.Digest][]byte
	opens atomic.Int64
	hold  chan struct{} // when set, Open waits for it
}

func (b *blobs) add(data []byte) blob.Digest {
	sum := sha256.Sum256(data)
	d := blob.Digest(hex.EncodeToString(sum[:]))
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.data == nil {
		b.data = map[blob.Digest][]byte{}
	}
	b.data[d] = data
	return d
}

func (b *blobs) addZip(t testing.TB, members ...member) blob.Digest {
	a := archive(t, members...)
	data, _ := io.ReadAll(a)
	return b.add(data)
}

func (b *blobs) Put(context.Context, io.Reader, int64) (blob.Digest, int64, error) {
	return "", 0, errors.ErrUnsupported
}

func (b *blobs) Open(_ context.Context, d blob.Digest) (blob.File, error) {
	b.opens.Add(1)
	if b.hold != nil {
		<-b.hold
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	data, ok := b.data[d]
	if !ok {
		return nil, blob.ErrNotFound
	}
	return memory{bytes.NewReader(data)}, nil
}

func (b *blobs) Delete(context.Context, blob.Digest) error { return errors.ErrUnsupported }

func newCache(t testing.TB, max int64) (*code.Cache, *blobs) {
	b := &blobs{}
	return openCache(t, t.TempDir(), b, max), b
}

func openCache(t testing.TB, dir string, b *blobs, max int64) *code.Cache {
	t.Helper()
	c, err := code.NewCache(dir, b, max)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// tree lists a directory: a name, its mode, and content or target.
func tree(t testing.TB, dir string) map[string]string {
	t.Helper()
	got := map[string]string{}
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || p == dir {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(dir, p)
		var content string
		switch {
		case info.Mode().IsRegular():
			b, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			content = " " + string(b)
		case info.Mode()&fs.ModeSymlink != 0:
			to, _ := os.Readlink(p)
			got[rel] = "-> " + to
			return nil
		}
		got[rel] = info.Mode().String() + content
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// insideOnly fails when something below dir resolves to outside of it.
func insideOnly(dir string) error {
	top, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return err
	}
	return filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		real, err := filepath.EvalSymlinks(p)
		if errors.Is(err, fs.ErrNotExist) {
			return nil // a link to nothing
		}
		if err == nil && real != top && !strings.HasPrefix(real, top+"/") {
			return fmt.Errorf("%s leads to %s", p, real)
		}
		return nil
	})
}

func TestDirUnpacksWithModes(t *testing.T) {
	c, b := newCache(t, 1<<30)
	d := b.addZip(t,
		member{"index.js", "main", 0o600},
		member{"bin/tool", "run", 0o700 | fs.ModeSetuid},
		member{"none", "", 0},
		member{"empty/", "", fs.ModeDir | 0o700},
		member{"link", "bin/tool", fs.ModeSymlink | 0o777},
	)
	dir, release, err := c.Dir(context.Background(), d)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	want := map[string]string{
		"index.js": "-rw-r--r-- main",
		"bin":      "drwxr-xr-x",
		"bin/tool": "-rwxr-xr-x run",
		"none":     "-rw-r--r-- ",
		"empty":    "drwxr-xr-x",
		"link":     "-> bin/tool",
	}
	if diff := cmp.Diff(want, tree(t, dir)); diff != "" {
		t.Error(diff)
	}
	if info, _ := os.Stat(dir); info.Mode().Perm() != 0o755 {
		t.Errorf("the directory itself has mode %v", info.Mode())
	}
}

func TestDirUnpacksOnceForAll(t *testing.T) {
	c, b := newCache(t, 1<<30)
	d := b.addZip(t, member{"a", "b", 0o644})
	b.hold = make(chan struct{})
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			_, release, err := c.Dir(context.Background(), d)
			if err != nil {
				t.Error(err)
				return
			}
			release()
			release() // harmless
		})
	}
	left, leave := context.WithCancel(context.Background())
	leave()
	if _, _, err := c.Dir(left, d); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the caller's own end", err)
	}
	close(b.hold)
	wg.Wait()
	if n := b.opens.Load(); n != 1 {
		t.Errorf("opened the blob %d times", n)
	}
}

func TestDirForgetsFailures(t *testing.T) {
	c, b := newCache(t, 1<<30)
	data, _ := io.ReadAll(archive(t, member{"a", "b", 0o644}))
	sum := sha256.Sum256(data)
	d := blob.Digest(hex.EncodeToString(sum[:]))
	if _, _, err := c.Dir(context.Background(), d); !errors.Is(err, blob.ErrNotFound) {
		t.Fatalf("got %v, want blob.ErrNotFound", err)
	}
	b.add(data)
	_, release, err := c.Dir(context.Background(), d)
	if err != nil {
		t.Fatal(err)
	}
	release()
}

func TestFailedUnpackLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	b := &blobs{}
	c := openCache(t, dir, b, 1<<30)
	data, _ := io.ReadAll(archive(t, member{"a", "first", 0o644}, member{"b", strings.Repeat("second", 99), 0o644}))
	i := bytes.Index(data, []byte("b"))
	data[i+20] ^= 0xff // damages the second file's content
	if _, _, err := c.Dir(context.Background(), b.add(data)); err == nil {
		t.Fatal("a damaged package was unpacked")
	}
	boot, _ := filepath.Glob(dir + "/boot-*")
	if got := tree(t, boot[0]); len(got) != 1 {
		t.Errorf("left behind: %v", got)
	}
}

func TestReopenKeepsWhatIsWhole(t *testing.T) {
	dir := t.TempDir()
	b := &blobs{}
	d := b.addZip(t, member{"a", "b", 0o644})

	first, err := code.NewCache(dir, b, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	kept, release, err := first.Dir(context.Background(), d)
	if err != nil {
		t.Fatal(err)
	}
	release()
	first.Close()
	// What a crash leaves: something half made, and the cache of another boot.
	boot := filepath.Dir(kept)
	if err := os.MkdirAll(boot+"/tmp/half/made", 0o755); err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(dir, "boot-of-another-time", string(d)+".1")
	if err := os.MkdirAll(other, 0o755); err != nil {
		t.Fatal(err)
	}

	second, err := code.NewCache(dir, b, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	got, release, err := second.Dir(context.Background(), d)
	if err != nil {
		t.Fatal(err)
	}
	release()
	second.Close() // waits for the removal
	if got != kept || b.opens.Load() != 1 {
		t.Errorf("unpacked again: %s then %s", kept, got)
	}
	for _, gone := range []string{boot + "/tmp/half", filepath.Dir(other)} {
		if _, err := os.Stat(gone); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is still there", gone)
		}
	}
	if _, _, err := second.Dir(context.Background(), d); !errors.Is(err, code.ErrClosed) {
		t.Errorf("after Close: got %v", err)
	}
}

func TestEvictsLeastRecentlyUsedButNeverInUse(t *testing.T) {
	c, b := newCache(t, 250)
	content := func(s string) member { return member{"f", strings.Repeat(s, 100), 0o644} }
	one, two, three := b.addZip(t, content("1")), b.addZip(t, content("2")), b.addZip(t, content("3"))
	ctx := context.Background()
	use := func(d blob.Digest) (string, func()) {
		t.Helper()
		dir, release, err := c.Dir(ctx, d)
		if err != nil {
			t.Fatal(err)
		}
		return dir, release
	}
	there := func(dir string) bool { _, err := os.Stat(dir + "/f"); return err == nil }

	dir1, release1 := use(one)
	dir2, release2 := use(two)
	dir3, release3 := use(three) // 300 of 250, all in use
	if !there(dir1) || !there(dir2) || !there(dir3) {
		t.Fatal("evicted what was in use")
	}
	release2()
	if !there(dir1) || there(dir2) || !there(dir3) {
		t.Fatal("want only the second gone")
	}
	release1()
	release3()
	_, release1 = use(one) // now three is the older
	release1()
	_, release2 = use(two)
	release2()
	if there(dir3) || !there(dir1) {
		t.Error("want the third gone, which was not used for longest")
	}
}

func TestLayersMergeInOrder(t *testing.T) {
	c, b := newCache(t, 1<<30)
	first := b.addZip(t,
		member{"python/a.py", "first", 0o644},
		member{"python/only.py", "first", 0o644},
		member{"extensions/zeta", "#!", 0o755},
		member{"extensions/readme", "no", 0o644},
		member{"was-dir/x", "", 0o644},
		member{"was-link", "python", fs.ModeSymlink},
	)
	second := b.addZip(t,
		member{"python/a.py", "second", 0o644},
		member{"extensions/alpha", "#!", 0o755},
		member{"extensions/dir/x", "", 0o755},
		member{"was-dir", "file", 0o644},
		member{"was-link/y", "dir", 0o644},
	)
	dir, release, err := c.Layers(context.Background(), []blob.Digest{first, second})
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	want := map[string]string{
		"python":            "drwxr-xr-x",
		"python/a.py":       "-rw-r--r-- second",
		"python/only.py":    "-rw-r--r-- first",
		"extensions":        "drwxr-xr-x",
		"extensions/zeta":   "-rwxr-xr-x #!",
		"extensions/alpha":  "-rwxr-xr-x #!",
		"extensions/readme": "-rw-r--r-- no",
		"extensions/dir":    "drwxr-xr-x",
		"extensions/dir/x":  "-rwxr-xr-x ",
		"was-dir":           "-rw-r--r-- file",
		"was-link":          "drwxr-xr-x",
		"was-link/y":        "-rw-r--r-- dir",
	}
	if diff := cmp.Diff(want, tree(t, dir)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"alpha", "zeta"}, code.Extensions(dir)); diff != "" {
		t.Error(diff)
	}
	again, release2, err := c.Layers(context.Background(), []blob.Digest{second, first})
	if err != nil {
		t.Fatal(err)
	}
	defer release2()
	if got, _ := os.ReadFile(again + "/python/a.py"); string(got) != "first" {
		t.Errorf("the other order gives %q", got)
	}
}

func TestLayersOfOneIsItsPackage(t *testing.T) {
	c, b := newCache(t, 1<<30)
	d := b.addZip(t, member{"a", "b", 0o644})
	dir, release, err := c.Layers(context.Background(), []blob.Digest{d})
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	if names := code.Extensions(dir); names != nil {
		t.Errorf("got extensions %v", names)
	}
	if _, _, err := c.Layers(context.Background(), nil); err == nil {
		t.Error("no layers were merged")
	}
}

func BenchmarkDirWarm(b *testing.B) {
	c, bl := newCache(b, 1<<30)
	d := bl.addZip(b, member{"a", "b", 0o644})
	for b.Loop() {
		_, release, err := c.Dir(context.Background(), d)
		if err != nil {
			b.Fatal(err)
		}
		release()
	}
}

func BenchmarkDirCold(b *testing.B) {
	c, bl := newCache(b, 0) // nothing stays
	d := bl.addZip(b, member{"index.js", "exports.handler = async () => 1", 0o644})
	for b.Loop() {
		_, release, err := c.Dir(context.Background(), d)
		if err != nil {
			b.Fatal(err)
		}
		release()
	}
}

func BenchmarkOpenWithTenThousand(b *testing.B) {
	dir := b.TempDir()
	c, err := code.NewCache(dir, &blobs{}, 1<<30)
	if err != nil {
		b.Fatal(err)
	}
	c.Close()
	boot, _ := filepath.Glob(dir + "/boot-*")
	for i := range 10_000 {
		sum := sha256.Sum256([]byte{byte(i), byte(i >> 8)})
		if err := os.Mkdir(filepath.Join(boot[0], hex.EncodeToString(sum[:])+".1"), 0o755); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		c, err := code.NewCache(dir, &blobs{}, 1<<30)
		if err != nil {
			b.Fatal(err)
		}
		c.Close()
	}
}
