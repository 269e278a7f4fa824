package cloud

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/mayfly-cloud/mayfly/internal/store/pebble"
	"github.com/mayfly-cloud/mayfly/internal/store/postgres"
	"golang.org/x/sys/unix"
)

// ErrDatabase is wrapped by errors of a start that the database failed.
var ErrDatabase = errors.New("the store's database can't be used")

// openStore opens the store: the data folder's own, or the database that is
// configured, which other nodes may use as well.
func (n *Node) openStore(ctx context.Context) error {
	if err := n.openName(); err != nil {
		return err
	}
	switch {
	case n.cfg.Store == "":
		s, err := pebble.Open(ctx, pebble.Config{Dir: n.path("store"), Log: n.cfg.Log})
		if err != nil {
			return fmt.Errorf("open store: %w", err)
		}
		n.store, n.name = s, "local" // as it was when stores were never shared
	case !IsDatabase(n.cfg.Store): // not repeated: there may be a password in it
		return fmt.Errorf("open store: %w: its address does not begin with postgres://", ErrDatabase)
	default:
		s, err := postgres.Open(ctx, postgres.Config{URL: n.cfg.Store, Log: n.cfg.Log})
		if err != nil {
			return fmt.Errorf("open store: %w: %w", ErrDatabase, err)
		}
		n.store = s
	}
	n.onClose(n.store.Close)
	return nil
}

// IsDatabase says whether an address is of a database that a store can be in.
func IsDatabase(address string) bool {
	return strings.HasPrefix(address, "postgres://") || strings.HasPrefix(address, "postgresql://")
}

// blobsDir is where code packages are.
func (n *Node) blobsDir() string {
	if n.cfg.Blobs != "" {
		return n.cfg.Blobs
	}
	return n.path("blobs")
}

// nameFile holds half of a node's name.
const nameFile = "node.id"

// maxName bounds what is read of it.
const maxName = 64

// openName gives the node a name in a store that it shares with others: the same
// after a restart, so that it finds at once what it had begun; another one's never,
// since two of one name would each take the other for its own past. Half of it is
// random, in a file; the other half tells that file from copies. The file is locked
// while the node lives: two can't be in one folder, wherever their stores are.
func (n *Node) openName() error {
	f, err := lockFolder(n.cfg.Data)
	if err != nil {
		return err
	}
	n.onClose(f.Close)
	text, err := io.ReadAll(io.LimitReader(f, maxName))
	if err == nil && len(text) == 0 { // new, or a crash came before this
		text = []byte(rand.Text())
		_, err = f.Write(text)
		err = errors.Join(err, f.Sync())
	}
	var at unix.Stat_t
	if err = errors.Join(err, unix.Fstat(int(f.Fd()), &at)); err != nil {
		return fmt.Errorf("name the node: %w", err)
	}
	n.name = fmt.Sprintf("%s-%x-%x", strings.TrimSpace(string(text)), at.Dev, at.Ino)
	return nil
}

// lockFolder opens the file with a data folder's name, and keeps others from doing so
// until it is closed.
func lockFolder(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, nameFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("name the node: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("another node is using %s: stop it, or choose another folder (%w)", dir, err), f.Close())
	}
	return f, nil
}

// examineStore looks whether the database can be used.
func examineStore(ctx context.Context, cfg Config) []Check {
	if cfg.Store == "" {
		return nil // the data folder's own needs nothing but the folder
	}
	c := Check{Name: "store", State: Fails, Advice: "Name the database with --store or MAYFLY_STORE: postgres://USER@HOST/DATABASE."}
	if !IsDatabase(cfg.Store) {
		c.Finding = "its address does not begin with postgres://"
		return []Check{c}
	}
	r, err := postgres.Examine(ctx, cfg.Store)
	if err != nil {
		c.Finding = err.Error()
		return []Check{c}
	}
	c.State, c.Finding, c.Advice = OK, r.Version+", "+r.Place+"; synchronous_commit is on", ""
	if len(r.Warnings) > 0 {
		c.State, c.Advice = Warns, strings.Join(r.Warnings, "; ")
	}
	return []Check{c}
}
