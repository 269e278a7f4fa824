package cloud

import (
	"log/slog"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/audit"
)

// Config is everything that can be set on a node.
type Config struct {
	// Data is the node's folder: its state, credentials and caches. It is made,
	// readable by its owner alone, if it is not there.
	Data string
	// Store is the URL of the PostgreSQL database that the store is in, which
	// other nodes may share; empty for the data folder's own store. It may hold a
	// password, so it is never shown.
	Store string
	// Blobs is the folder of code packages, which the nodes of one store share;
	// empty for one in the data folder.
	Blobs string
	// Listen is the address of the front door.
	Listen string
	// Region is the one AWS region that the node plays; requests signed for
	// another are refused.
	Region string
	// Account is the account id, twelve digits; empty for the data folder's own.
	Account string
	// Domain is what the host names of function URLs end in.
	Domain string
	// OTLP is the URL of a trace collector; empty for none.
	OTLP string
	// Sandbox is the isolation to use: "gvisor", "process", or "auto" for the
	// strongest that works here.
	Sandbox string
	// Pool is how many pre-booted sandboxes are kept for each runtime in use.
	Pool int
	// Concurrency is how many calls may run at once in the account.
	Concurrency int
	// MemoryMiB is what all sandboxes together may take; 0 for three quarters of
	// the machine's memory.
	MemoryMiB int
	// IdleTimeout is how long an environment without calls is kept.
	IdleTimeout time.Duration
	// Allow are addresses HOST:PORT, as the node sees them and of whatever machine,
	// that sandboxes may reach as host.mayfly.internal:PORT: the node connects
	// there for them. All else of the host is shut to them.
	Allow []string
	// AllowNet are destinations CIDR or CIDR:PORT that sandboxes may reach directly,
	// beyond the host. It needs root, and changes the host as Internet does.
	AllowNet []string
	// Internet is whether sandboxes reach public addresses, and names resolve. It
	// needs root, and turns forwarding on at the host's uplinks while the node lives.
	Internet bool
	// AuditEvents is how many changes, how many reads and how many refusals the audit
	// trail keeps, for 90 days at most.
	AuditEvents int
	// Version of this program.
	Version string
	// Log takes what the operator should know.
	Log *slog.Logger
}

// Default is the configuration of a node on a laptop.
func Default() Config {
	return Config{
		Listen:      "127.0.0.1:4566",
		Region:      "us-east-1",
		Domain:      "localhost",
		Sandbox:     "auto",
		Pool:        2,
		Concurrency: 1000,
		IdleTimeout: 5 * time.Minute,
		AuditEvents: audit.DefaultMaxEvents,
		Log:         slog.Default(),
	}
}
