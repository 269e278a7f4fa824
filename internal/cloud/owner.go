package cloud

import (
	"context"
	"errors"
	"fmt"

	"github.com/mayfly-cloud/mayfly/internal/record"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

// In a database that nodes share stands whose it is, so that none joins that could
// not read what the others have sealed:
//
//	cloud  owner  ->  owner
func ownerKey() []byte { return store.Key("cloud", "owner") }

// owner is who a store belongs to.
type owner struct {
	Account string
	// Mark is sealed under the key that all its nodes have.
	Mark []byte
}

const ownerLabel = "mayfly store owner"

// ErrStranger says that a node has not the keys of the store's account.
var ErrStranger = errors.New("the database belongs to another node's keys")

// openOwner makes the store this node's account's, or sees that it is.
func (n *Node) openOwner(ctx context.Context) error {
	if n.cfg.Store == "" {
		return nil // the keys lie beside it
	}
	err := n.store.Update(ctx, func(tx store.Tx) error {
		b, err := tx.Get(ownerKey())
		if errors.Is(err, store.ErrNotFound) {
			return n.own(tx)
		}
		if err != nil {
			return err
		}
		var o owner
		if err := record.Unmarshal(b, &o); err != nil {
			return err
		}
		if o.Account != n.root.Account() {
			return fmt.Errorf("%w: it is of account %s, this node's root.json of %s", ErrStranger, o.Account, n.root.Account())
		}
		if _, err := n.nodeKey.Unseal(ownerLabel, o.Mark); err != nil {
			return fmt.Errorf("%w: this node has another node.key", ErrStranger)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("join the store's nodes: %w", err)
	}
	return nil
}

func (n *Node) own(tx store.Tx) error {
	mark, err := n.nodeKey.Seal(ownerLabel, []byte(n.root.Account()))
	if err != nil {
		return err
	}
	b, err := record.Marshal(&owner{Account: n.root.Account(), Mark: mark})
	if err != nil {
		return err
	}
	return tx.Set(ownerKey(), b)
}
