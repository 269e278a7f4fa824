package pebble

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"

	engine "github.com/cockroachdb/pebble/v2"
)

// logger is the engine's log: all of it at debug, as only its own makers can
// use it, except for what the events below say to everyone.
type logger struct {
	log   *slog.Logger
	fatal func(error)
}

var _ engine.Logger = logger{}

// Infof implements engine.Logger.
func (l logger) Infof(format string, args ...any) { l.debug(format, args) }

// Errorf implements engine.Logger.
func (l logger) Errorf(format string, args ...any) { l.debug(format, args) }

// Fatalf implements engine.Logger: it must not return, as its callers take what
// failed for done. Where Config.Fatal leaves the process alive, the goroutine
// ends here.
func (l logger) Fatalf(format string, args ...any) {
	l.fatal(fmt.Errorf("storage engine: "+format, args...))
	runtime.Goexit()
}

func (l logger) debug(format string, args []any) {
	if l.log.Enabled(context.Background(), slog.LevelDebug) {
		l.log.Debug(fmt.Sprintf(format, args...), "part", "store engine")
	}
}

// events reports what a person should know of, and the rest at debug.
func (l logger) events() *engine.EventListener {
	e := engine.EventListener{}
	if l.log.Enabled(context.Background(), slog.LevelDebug) {
		e = engine.MakeLoggingEventListener(l)
	}
	e.BackgroundError = func(err error) { l.log.Warn("the store's background work failed and is tried again", "err", err) }
	e.WriteStallBegin = func(i engine.WriteStallBeginInfo) { l.log.Warn("writes wait for the disk", "reason", i.Reason) }
	e.DataCorruption = func(i engine.DataCorruptionInfo) {
		l.log.Error("the store's data is damaged on disk: restore it from a copy", "file", i.Path, "details", i.Details)
	}
	e.EnsureDefaults(l)
	return &e
}
