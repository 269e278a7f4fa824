package function_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/blob"
	"github.com/mayfly-cloud/mayfly/internal/fault"
	"github.com/mayfly-cloud/mayfly/internal/function"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

var errCrash = errors.New("crash")

// fuse lets so many writes through, to store and blobs alike, and none after:
// what a crash between two of them would leave.
type fuse struct{ left int }

func (f *fuse) burn() error {
	if f.left--; f.left < 0 {
		return errCrash
	}
	return nil
}

type fusedStore struct {
	store.Store
	fuse *fuse
}

func (s fusedStore) Update(ctx context.Context, fn func(store.Tx) error) error {
	if err := s.fuse.burn(); err != nil {
		return err
	}
	return s.Store.Update(ctx, fn)
}

type fusedBlobs struct {
	blob.Store
	fuse *fuse
}

func (b fusedBlobs) Put(ctx context.Context, r io.Reader, limit int64) (blob.Digest, int64, error) {
	if err := b.fuse.burn(); err != nil {
		return "", 0, err
	}
	return b.Store.Put(ctx, r, limit)
}

func (b fusedBlobs) Delete(ctx context.Context, d blob.Digest) error {
	if err := b.fuse.burn(); err != nil {
		return err
	}
	return b.Store.Delete(ctx, d)
}

// Whatever a change is cut off at, afterwards every function has its code, the
// change can be made again, and what it left behind is swept.
func TestCrashes(t *testing.T) {
	ctx := context.Background()
	other := func(w *world) function.Source { return function.Source{Zip: zipOf(w.t, "index.js", "other")} }
	changes := map[string]func(*world, *function.Service) error{
		"create": func(w *world, s *function.Service) error {
			c := w.creation("new")
			c.Publish, c.Source = true, other(w)
			_, err := s.Create(ctx, c)
			if fault.Is(err, "ResourceConflictException") {
				return nil // it was there before the crash
			}
			return err
		},
		"update code": func(w *world, s *function.Service) error {
			_, err := s.UpdateCode(ctx, "hello", function.CodeUpdate{Source: other(w), Publish: true})
			return err
		},
		"publish a layer": func(w *world, s *function.Service) error {
			_, err := s.PublishLayer(ctx, function.LayerCreation{Name: "tools", Source: other(w)})
			return err
		},
		"delete": func(w *world, s *function.Service) error {
			err := s.Delete(ctx, "hello", "")
			if fault.Is(err, "ResourceNotFoundException") {
				return nil // it was gone before the crash
			}
			return err
		},
		"sweep": func(w *world, s *function.Service) error {
			if err := s.Delete(ctx, "hello", ""); err != nil && !fault.Is(err, "ResourceNotFoundException") {
				return err
			}
			w.clock.Advance(2 * time.Hour)
			return s.Sweep(ctx)
		},
	}
	for name, change := range changes {
		for writes := 0; ; writes++ {
			w := newWorld(t)
			w.create("hello")
			config := w.config
			f := &fuse{left: writes}
			config.Store, config.Blobs = fusedStore{w.store, f}, fusedBlobs{w.blobs, f}
			err := change(w, function.New(config))
			if err != nil && !errors.Is(err, errCrash) {
				t.Fatalf("%s: %v", name, err)
			}
			step := fmt.Sprintf("%s, cut off after %d writes", name, writes)
			w.consistent(step)
			if err := change(w, w.Service); err != nil {
				t.Errorf("%s: again: %v", step, err)
			}
			w.clock.Advance(2 * time.Hour)
			if err := w.Sweep(ctx); err != nil {
				t.Errorf("%s: %v", step, err)
			}
			w.consistent(step + ", again and swept")
			if n := w.keys()["unused"]; n > 0 {
				t.Errorf("%s: %d unused packages are left", step, n)
			}
			if err == nil {
				break // the change came through
			}
		}
	}
}

// consistent checks that every version there is has its code.
func (w *world) consistent(step string) {
	w.t.Helper()
	ctx := context.Background()
	list, _, err := function.New(w.config).List(ctx, true, function.Page{})
	if err != nil {
		w.t.Fatal(err)
	}
	for _, v := range list {
		f, err := w.blobs.Open(ctx, v.Package.Digest)
		if err != nil {
			w.t.Errorf("%s: %s, version %d: %v", step, v.Function, v.Number, err)
			continue
		}
		f.Close()
	}
}
