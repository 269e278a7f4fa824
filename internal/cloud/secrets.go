package cloud

import (
	"context"

	"github.com/mayfly-cloud/mayfly/internal/clock"
	"github.com/mayfly-cloud/mayfly/internal/iam/policy"
	"github.com/mayfly-cloud/mayfly/internal/key"
	"github.com/mayfly-cloud/mayfly/internal/parameter"
	"github.com/mayfly-cloud/mayfly/internal/secret"
)

// openSecrets opens what keeps secrets: keys, and the two that keep what is encrypted
// with them.
func (n *Node) openSecrets(context.Context) error {
	account, region := n.root.Account(), n.cfg.Region
	n.encryption = key.New(key.Config{
		Store: n.store, Vault: n.nodeKey, Policies: policies{}, Account: account, Region: region, Clock: clock.System, Log: n.cfg.Log,
	})
	n.run("keys", n.encryption.Run)
	n.parameters = parameter.New(parameter.Config{
		Store: n.store, Keys: n.encryption.Via("ssm"), Account: account, Region: region, Clock: clock.System,
	})
	n.secrets = secret.New(secret.Config{
		Store: n.store, Keys: n.encryption.Via("secretsmanager"), Policies: policies{}, Account: account, Region: region,
		Clock: clock.System, Log: n.cfg.Log,
	})
	n.run("secrets", n.secrets.Run)
	return nil
}

// policies is the policy language as services see it that keep policies of their
// resources.
type policies struct{}

func (policies) Check(document []byte, _ string) error {
	_, err := policy.Parse(document, policy.Resource)
	return err
}

func (policies) Public(document []byte) bool {
	p, err := policy.Parse(document, policy.Resource)
	return err == nil && p.Public()
}
