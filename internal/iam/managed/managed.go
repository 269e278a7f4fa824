package managed

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base32"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

// Prefix begins the ARN of every policy; what follows is its path without the first
// slash, and its name.
const Prefix = "arn:aws:iam::aws:policy/"

// Policy is one of AWS's policies.
type Policy struct {
	Name    string
	Path    string // "/" or "/service-role/"
	ID      string // ANPA...
	Version int    // its one version's number
	Created time.Time
	// Document is the policy in its language.
	Document string
}

//go:embed policies.json
var data []byte

// read reads the data once. It is part of the program, so a mistake in it is one of
// the program's.
var read = sync.OnceValue(func() map[string]Policy {
	var list []struct {
		Name, Path string
		Version    int
		Created    time.Time
		Statement  json.RawMessage
	}
	if err := json.Unmarshal(data, &list); err != nil {
		panic(fmt.Sprintf("managed policies: %v", err))
	}
	policies := make(map[string]Policy, len(list))
	for _, p := range list {
		if p.Path == "" {
			p.Path = "/"
		}
		var statement bytes.Buffer
		if err := json.Compact(&statement, p.Statement); err != nil {
			panic(fmt.Sprintf("managed policy %s: %v", p.Name, err))
		}
		arn := Prefix + p.Path[1:] + p.Name
		sum := sha256.Sum256([]byte(arn))
		policies[arn] = Policy{
			Name: p.Name, Path: p.Path, Version: p.Version, Created: p.Created,
			ID:       "ANPA" + base32.StdEncoding.EncodeToString(sum[:])[:17],
			Document: `{"Version":"2012-10-17","Statement":` + statement.String() + `}`,
		}
	}
	return policies
})

// Find gives the policy of an ARN.
func Find(arn string) (Policy, bool) {
	p, ok := read()[arn]
	return p, ok
}

// ARNs names all policies, in order.
func ARNs() []string { return slices.Sorted(maps.Keys(read())) }
