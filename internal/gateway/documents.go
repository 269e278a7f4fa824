package gateway

import (
	"sync"

	"github.com/mayfly-cloud/mayfly/internal/iam/policy"
)

// maxDocuments bounds the compiled policies that are kept; beyond it starts anew.
const maxDocuments = 4096

// documents are the policies of resources, compiled once for each text. The zero value
// works.
type documents struct {
	mu    sync.RWMutex
	known map[string]*policy.Policy
}

// policy compiles a document. One that is malformed is nil, each time anew: it was
// found good when it was stored.
func (d *documents) policy(doc []byte) (*policy.Policy, error) {
	d.mu.RLock()
	p, ok := d.known[string(doc)]
	d.mu.RUnlock()
	if ok {
		return p, nil
	}
	p, err := policy.Parse(doc, policy.Resource)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.known == nil || len(d.known) >= maxDocuments {
		d.known = make(map[string]*policy.Policy)
	}
	d.known[string(doc)] = p
	return p, nil
}
