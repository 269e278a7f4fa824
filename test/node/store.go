package node

import (
	"crypto/sha256"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5"
)

// storeVariable names a PostgreSQL server, by the URL of a database in which tests
// may do what they like. With it every node has its store there, in a schema of its
// own, instead of in its data folder.
const storeVariable = "MAYFLY_TEST_STORE"

// OnDatabase says whether nodes have their stores in a database.
func OnDatabase() bool { return os.Getenv(storeVariable) != "" }

// StartOn is Start with the store in a database.
func StartOn(t *testing.T, address string, flags ...string) *Node {
	t.Helper()
	n := &Node{t: t, Data: filepath.Join(t.TempDir(), "data"), Listen: freeAddress(t), address: address, flags: flags}
	n.begin()
	return n
}

// keys are the files that nodes of one account have in common.
var keys = []string{"root.json", "node.key"}

// Another starts a node that shares the database, the account and the code
// packages of a running one.
func (n *Node) Another(flags ...string) *Node {
	n.t.Helper()
	o := &Node{t: n.t, Data: filepath.Join(n.t.TempDir(), "data"), Listen: freeAddress(n.t), address: n.address,
		flags: append([]string{"--blobs", filepath.Join(n.Data, "blobs")}, flags...)}
	must(n.t, os.Mkdir(o.Data, 0o711))
	for _, name := range keys {
		must(n.t, copyFile(filepath.Join(o.Data, name), filepath.Join(n.Data, name)))
		must(n.t, os.Chmod(filepath.Join(o.Data, name), 0o600))
	}
	o.begin()
	return o
}

// store is the address of the node's database; empty if its store is in its data
// folder. Where the variable names a server it makes a place for each data folder.
func (n *Node) store() string {
	if n.address != "" || !OnDatabase() {
		return n.address
	}
	n.t.Helper()
	address, err := url.Parse(os.Getenv(storeVariable))
	must(n.t, err)
	conn, err := pgx.Connect(n.t.Context(), address.String())
	must(n.t, err)
	defer conn.Close(n.t.Context())
	schema := fmt.Sprintf("node_%x", sha256.Sum256([]byte(n.Data)))[:20]
	_, err = conn.Exec(n.t.Context(), "CREATE SCHEMA IF NOT EXISTS "+schema)
	must(n.t, err)
	query := address.Query()
	query.Set("search_path", schema)
	query.Set("pool_max_conns", "10") // several nodes share the server
	address.RawQuery = query.Encode()
	return address.String()
}
