package function

import (
	"context"

	"github.com/mayfly-cloud/mayfly/internal/blob"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

// Settings is what a caller sets about a function. Publishing freezes them.
type Settings struct {
	Description  string
	Runtime      string
	Handler      string
	Role         string // an ARN
	Architecture string // "x86_64" or "arm64"
	MemoryMiB    int
	TmpMiB       int
	Timeout      int // seconds
	Environment  map[string]string
	Layers       []LayerUse
	DeadLetter   string // an ARN, or ""
	Tracing      string // "PassThrough" or "Active"
	Logging      Logging
}

// LayerUse is one layer of a function. The blob is kept as long as the function
// uses it, even when the layer's version is deleted.
type LayerUse struct {
	ARN             string
	Package         blob.Digest
	Bytes, Unpacked int64
}

// Logging is where a function's log goes, and in what form.
type Logging struct {
	Format      string // "Text" or "JSON"
	Application string // level, for JSON only
	System      string // level, for JSON only
	Group       string
}

// Change is a partial change of Settings: what is nil stays as it is. For a new
// function that is the default.
type Change struct {
	Description, Runtime, Handler, Role, Architecture *string
	MemoryMiB, TmpMiB, Timeout                        *int
	Environment                                       map[string]string // nil: as it is
	Layers                                            *[]string         // ARNs of versions
	DeadLetter, Tracing                               *string
	LogFormat, LogApplication, LogSystem, LogGroup    *string
}

func defaults(name string) Settings {
	return Settings{
		Architecture: hostArchitecture, MemoryMiB: 128, TmpMiB: 512, Timeout: 3,
		Tracing: "PassThrough",
		Logging: Logging{Format: "Text", Group: "/aws/lambda/" + name},
	}
}

// apply checks a change and makes it. Layers are left to resolveLayers, which
// needs the transaction.
func (c Change) apply(s *Settings) error {
	set(&s.Description, c.Description)
	set(&s.Runtime, c.Runtime)
	set(&s.Handler, c.Handler)
	set(&s.Role, c.Role)
	set(&s.Architecture, c.Architecture)
	set(&s.MemoryMiB, c.MemoryMiB)
	set(&s.TmpMiB, c.TmpMiB)
	set(&s.Timeout, c.Timeout)
	set(&s.DeadLetter, c.DeadLetter)
	set(&s.Tracing, c.Tracing)
	if c.Environment != nil {
		s.Environment = c.Environment
	}
	c.applyLogging(&s.Logging)
	return s.check()
}

// applyLogging knows that levels belong to JSON: they get their defaults with
// it, and go when a function returns to text.
func (c Change) applyLogging(l *Logging) {
	set(&l.Format, c.LogFormat)
	set(&l.Application, c.LogApplication)
	set(&l.System, c.LogSystem)
	set(&l.Group, c.LogGroup)
	switch {
	case l.Format == "JSON":
		if l.Application == "" {
			l.Application = "INFO"
		}
		if l.System == "" {
			l.System = "INFO"
		}
	case c.LogFormat != nil && c.LogApplication == nil && c.LogSystem == nil:
		l.Application, l.System = "", ""
	}
}

func set[T any](to *T, from *T) {
	if from != nil {
		*to = *from
	}
}

// checkSettings asks the rooms that know about a runtime and a role, outside of
// any transaction.
func (s *Service) checkSettings(ctx context.Context, name string, c Change) error {
	if c.Runtime != nil {
		if err := s.cfg.Runtimes.Check(*c.Runtime); err != nil {
			return err
		}
	}
	if c.Role != nil && s.cfg.Roles != nil && roleForm.MatchString(*c.Role) {
		return s.cfg.Roles.CheckRole(ctx, *c.Role, s.arn(name, ""))
	}
	return nil
}

// resolveLayers finds the packages of a change's layers and checks that they
// and the code fit together.
func (s *Service) resolveLayers(r store.Reader, c Change, to *Version) error {
	if c.Layers != nil {
		layers, err := s.layers(r, *c.Layers)
		if err != nil {
			return err
		}
		to.Settings.Layers = layers
	}
	total := to.Package.Unpacked
	for _, l := range to.Settings.Layers {
		total += l.Unpacked
	}
	if total > s.cfg.Limits.UnpackedBytes {
		return invalid("Function code combined with layers exceeds the maximum allowed size of %d bytes. The actual size is %d bytes.",
			s.cfg.Limits.UnpackedBytes, total)
	}
	return nil
}
