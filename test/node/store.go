package node

import (
	"crypto/sha256"
	"fmt"
	"net/url"
	"os"

	"github.com/jackc/pgx/v5"
)

// storeVariable names a PostgreSQL server, by the URL of a database in which tests
// may do what they like. With it every node has its store there, in a schema of its
// own, instead of in its data folder.
const storeVariable = "MAYFLY_TEST_STORE"

// OnDatabase says whether nodes have their stores in a database.
func OnDatabase() bool { return os.Getenv(storeVariable) != "" }

// store makes the place of the node's store, one for each data folder.
func (n *Node) store() string {
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
