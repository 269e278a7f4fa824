package pebble_test

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"go.uber.org/goleak"

	"github.com/mayfly-cloud/mayfly/internal/store"
	"github.com/mayfly-cloud/mayfly/internal/store/pebble"
	"github.com/mayfly-cloud/mayfly/internal/store/storetest"
)

// noLeaks checks at the end of a test that Close has ended every goroutine.
func noLeaks(t *testing.T) {
	here := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, here) })
}

// small is a reserve that costs a test nothing.
const small = 64 << 10

func TestConformance(t *testing.T) {
	noLeaks(t)
	storetest.Run(t, func(t *testing.T) func() store.Store {
		cfg := pebble.Config{Dir: t.TempDir(), Reserve: small}
		return func() store.Store { return open(t, cfg) }
	})
}

func TestConformanceInMemory(t *testing.T) {
	noLeaks(t)
	storetest.Run(t, func(t *testing.T) func() store.Store {
		cfg := pebble.Config{Dir: "data", FS: vfs.NewMem(), Reserve: small}
		return func() store.Store { return open(t, cfg) }
	})
}

func TestOneNodePerFolder(t *testing.T) {
	noLeaks(t)
	dir := t.TempDir() + "/deep/data"
	s := open(t, pebble.Config{Dir: dir, Reserve: small})
	_, err := pebble.Open(t.Context(), pebble.Config{Dir: dir, Reserve: small})
	if err == nil || !strings.Contains(err.Error(), "another node is using "+dir) {
		t.Errorf("second Open = %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, pebble.Config{Dir: dir, Reserve: small}).Close()
	st, err := os.Stat(dir)
	if err != nil || st.Mode().Perm() != 0o700 {
		t.Errorf("folder has mode %v, %v", st.Mode(), err)
	}
}

func TestOpenRefuses(t *testing.T) {
	noLeaks(t)
	file := t.TempDir() + "/file"
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := pebble.Open(t.Context(), pebble.Config{Dir: file}); err == nil {
		t.Error("opened a file as a folder")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := pebble.Open(ctx, pebble.Config{Dir: t.TempDir()}); err == nil {
		t.Error("opened with an ended context")
	}
}

func open(t testing.TB, cfg pebble.Config) *pebble.Store {
	t.Helper()
	if cfg.Fatal == nil {
		cfg.Fatal = func(err error) { t.Errorf("fatal: %v", err) }
	}
	s, err := pebble.Open(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
