package gateway

import (
	"log/slog"
	"net/http"
	"time"
)

const (
	// headerTime is how long a request's headers may take to arrive.
	headerTime = 10 * time.Second
	// idleTime is how long a connection is kept between requests: longer than the
	// SDKs keep theirs, so that it is they who close it.
	idleTime = 2 * time.Minute
	// maxHeader bounds a request's line and headers, in bytes.
	maxHeader = 64 << 10
)

// Server makes an HTTP server for h with the limits that keep a slow or greedy caller
// from hurting others. Time for bodies and answers is the Gateway's own to give:
// a call may take fifteen minutes, so the server as a whole has no limit for it.
func Server(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: headerTime,
		IdleTimeout:       idleTime,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug), // callers' broken connections
	}
}
