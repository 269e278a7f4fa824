package main

import (
	"errors"
	"net/url"
	"os"
	"strings"

	"github.com/mayfly-cloud/mayfly/internal/cloud"
	"github.com/spf13/pflag"
)

// storeFlags are the settings of where a node keeps what it is told.
func storeFlags(f *pflag.FlagSet, cfg *cloud.Config) {
	f.StringVar(&cfg.Store, "store", cfg.Store, "postgres:// URL of the database to keep everything in (default: the data folder)")
	f.StringVar(&cfg.Blobs, "blobs", cfg.Blobs, "folder of code packages, shared by the nodes of one store (default: in the data folder)")
}

// checkStore refuses a password where every user of the machine can read it.
func checkStore(address string) error {
	typed := false
	for _, arg := range os.Args {
		typed = typed || address != "" && strings.Contains(arg, address)
	}
	if typed && hasPassword(address) {
		return hint(errors.New("a password in --store is in the list of processes, which everybody can read"),
			"Put the URL into MAYFLY_STORE, or the password into PGPASSWORD or a password file (PGPASSFILE).")
	}
	return nil
}

func hasPassword(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return strings.Contains(address, "@") || strings.Contains(address, "password")
	}
	_, in := u.User.Password()
	return in || u.Query().Has("password")
}
