package function

import (
	"context"

	"github.com/mayfly-cloud/mayfly/internal/store"
)

// Delete deletes one version, or without a qualifier the function with all that
// belongs to it. The blobs stay until Sweep: calls that have begun may need them.
func (s *Service) Delete(ctx context.Context, function, qualifier string) error {
	n, err := s.Parse(function, qualifier)
	if err != nil {
		return err
	}
	if n.Qualifier != "" {
		err = s.deleteVersion(ctx, n.Function, n.Qualifier)
	} else {
		// One transaction: a crash leaves the whole function or nothing of it.
		err = s.change(ctx, func(tx store.Tx) error { return s.deleteFunction(tx, n.Function) })
	}
	if err != nil {
		return err
	}
	s.provision(ctx)
	if n.Qualifier == "" && s.cfg.Provisioner != nil {
		s.cfg.Provisioner.Retire(s.arn(n.Function, ""))
	}
	return nil
}

func (s *Service) deleteFunction(tx store.Tx, name string) error {
	if _, err := s.function(tx, name); err != nil {
		return err
	}
	err := all(tx, below("version", name), func(_ []byte, v *Version) error { return s.disuse(tx, v) })
	if err != nil {
		return err
	}
	err = all(tx, below("url", name), func(_ []byte, u *URL) error { return tx.Delete(hostKey(u.ID)) })
	if err != nil {
		return err
	}
	for _, kind := range []string{"version", "alias", "policy", "async", "provision", "url"} {
		prefix := below(kind, name)
		if err := tx.DeleteRange(prefix, store.PrefixEnd(prefix)); err != nil {
			return err
		}
	}
	if err := tx.Delete(reservedKey(name)); err != nil {
		return err
	}
	return tx.Delete(functionKey(name))
}
