package runtime

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// probeTimeout bounds one question to a program about its version.
const probeTimeout = 5 * time.Second

// Config says where to look.
type Config struct {
	// Dir is the node's own folder: bootstraps are unpacked there, and Add puts
	// what it fetches there. Sandboxes read from it, so it is made 0755.
	Dir string
	// Path are further directories with programs, after the system's.
	Path []string
	// Log gets what was odd about a program that was found.
	Log *slog.Logger
}

// Set is the runtimes of this machine. Its methods are safe for concurrent use.
type Set struct {
	dir  string
	path []string
	log  *slog.Logger

	adding sync.Mutex // one Add at a time; taken before mu

	mu    sync.Mutex
	found map[string]Runtime // by Lambda's name

	compiling sync.Mutex       // held for seconds; taken with neither of the others
	compiled  map[string]error // by the folder of a Java bootstrap
}

// Find looks for every runtime of the catalog. Programs seen before with the
// same size and time are not asked again, so a second start costs a few dozen
// stat calls.
func Find(ctx context.Context, c Config) (*Set, error) {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if err := os.MkdirAll(c.Dir, 0o755); err != nil {
		return nil, fmt.Errorf("make runtime folder: %w", err)
	}
	dir, err := filepath.Abs(c.Dir)
	if err != nil {
		return nil, fmt.Errorf("resolve runtime folder: %w", err)
	}
	if err := unpack(dir); err != nil {
		return nil, err
	}
	s := &Set{dir: dir, path: c.Path, log: c.Log, compiled: map[string]error{}}
	if err := s.look(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// look fills found. The first program of a version wins: the system's come
// before those of the path, and both before what Add has fetched.
func (s *Set) look(ctx context.Context) error {
	candidates := s.candidates()
	known := loadSeen(s.dir)
	var group errgroup.Group
	group.SetLimit(4)
	asked := false
	for i := range candidates {
		c := &candidates[i]
		if f, ok := known[c.path]; ok && f.Stamp == c.stamp {
			c.facts, c.known = f.Facts, true
			continue
		}
		asked = true
		group.Go(func() error {
			s.ask(ctx, c)
			return nil
		})
	}
	group.Wait() // the programs that don't answer are left out, not an error
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("look for runtimes: %w", err)
	}
	found := s.pick(candidates)
	s.mu.Lock()
	s.found = found
	s.mu.Unlock()
	if !asked {
		return nil
	}
	if err := remember(s.dir, candidates); err != nil {
		s.log.Warn("what was found of runtimes is not kept", "err", err)
	}
	return nil
}

// ask fills in what a candidate says of itself; nothing if it doesn't.
func (s *Set) ask(ctx context.Context, c *candidate) {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	facts, err := probe(ctx, c.family, c.path)
	if err != nil {
		s.log.Warn("runtime program did not say its version", "path", c.path, "err", err)
		c.known = ctx.Err() == nil // one that was only slow is asked again
		return
	}
	c.facts, c.known = facts, true
}

// pick gives each entry of the catalog the first candidate of its version.
func (s *Set) pick(candidates []candidate) map[string]Runtime {
	found := map[string]Runtime{}
	for _, e := range catalog {
		if e.family == provided {
			found[e.name] = Runtime{Name: e.name, entry: e}
			continue
		}
		i := slices.IndexFunc(candidates, func(c candidate) bool {
			return c.family == e.family && majorOf(e.family, c.facts.Version) == e.version
		})
		if i >= 0 {
			found[e.name] = s.runtime(e, candidates[i])
		}
	}
	return found
}

// runtime makes the Runtime of an entry from the program found for it.
func (s *Set) runtime(e entry, c candidate) Runtime {
	r := Runtime{Name: e.name, Path: c.facts.Program, Version: c.facts.Version, entry: e}
	r.inside = r.Path
	if !isSystem(r.Path) {
		r.prefix = c.facts.Prefix
		if rel, err := filepath.Rel(r.prefix, r.Path); err == nil {
			r.inside = filepath.Join(langDir, rel)
		}
	}
	r.bootstrap = bootstrapDir(s.dir, e.family)
	r.sdk = sdkOf(s.dir, e.family)
	if e.family == java {
		r.bootstrap = javaDir(s.dir, c.facts)
		r.conf, r.jdk = c.facts.Conf, c.facts.JDK
	}
	return r
}

// sdkOf is the folder of the AWS SDK for a language, ours before the system's.
func sdkOf(dir string, f family) string {
	switch f {
	case nodejs:
		return existing(filepath.Join(dir, sdkFolder, "nodejs", "node_modules"), "@aws-sdk")
	case python:
		if ours := existing(filepath.Join(dir, sdkFolder, "python"), "boto3"); ours != "" {
			return ours
		}
		return existing("/usr/lib/python3/dist-packages", "boto3")
	}
	return ""
}

// existing returns dir if it has an entry of the given name, else "".
func existing(dir, name string) string {
	if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
		return ""
	}
	return dir
}

// majorOf is the part of a version that the catalog names: "22", "3.12", "17".
func majorOf(f family, version string) string {
	parts := strings.SplitN(version, ".", 3)
	if f == python && len(parts) > 1 {
		return parts[0] + "." + parts[1]
	}
	return parts[0]
}
