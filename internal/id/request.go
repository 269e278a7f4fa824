package id

import "context"

type requestKey struct{}

// WithRequest returns a context that carries the id of the request being served.
func WithRequest(ctx context.Context, requestID string) context.Context {
	return context.WithValue(ctx, requestKey{}, requestID)
}

// Request gives the id of the request being served; a new one where ctx has none.
func Request(ctx context.Context) string {
	if s, ok := ctx.Value(requestKey{}).(string); ok {
		return s
	}
	return UUID()
}
