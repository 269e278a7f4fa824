package iam_test

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/mayfly-cloud/mayfly/internal/iam"
	"github.com/mayfly-cloud/mayfly/internal/iam/iamtest"
)

// Whatever was answered is there after the power has gone, whole: what points to a
// thing is there with it.
func TestPowerCuts(t *testing.T) {
	n, ctx := start(t), t.Context()
	ada, arn := aws.String("ada"), ""
	find := func(s *iam.Service) (*iam.Entity, error) { return s.Find(ctx, iam.User, "ada") }
	for _, step := range []struct {
		name  string
		do    func() error
		check func(s *iam.Service) error
	}{
		{"create a user", func() error {
			_, err := n.CreateUser(ctx, &awsiam.CreateUserInput{UserName: ada})
			return err
		}, func(s *iam.Service) error { _, err := find(s); return err }},
		{"create a policy", func() error {
			arn = *n.policy("p", iamtest.Allow("s3:*", "*"))
			return nil
		}, func(s *iam.Service) error { return s.CheckManaged(ctx, arn) }},
		{"attach it", func() error {
			_, err := n.AttachUserPolicy(ctx, &awsiam.AttachUserPolicyInput{UserName: ada, PolicyArn: &arn})
			return err
		}, func(s *iam.Service) error {
			e, err := find(s)
			if err == nil && len(e.Attached) != 1 {
				err = fmt.Errorf("attached: %v", e.Attached)
			}
			return err
		}},
		{"make a key", func() error {
			k := n.key("ada")
			ada = k.UserName
			return nil
		}, func(s *iam.Service) error {
			e, err := find(s)
			if err != nil || len(e.Keys) != 1 {
				return fmt.Errorf("keys: %v %w", e, err)
			}
			_, err = s.Keys().Secret(ctx, e.Keys[0], "")
			return err
		}},
	} {
		if err := step.do(); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		if err := step.check(n.Crash(t)); err != nil {
			t.Errorf("after a power cut behind %q: %v", step.name, err)
		}
	}
}

// Many at once: each name is given once, and counted once.
func TestConcurrentCreates(t *testing.T) {
	n, ctx := start(t), t.Context()
	const callers, names = 16, 8
	made := make(chan error, callers*names)
	for range callers {
		go func() {
			for i := range names {
				_, err := n.CreateRole(ctx, &awsiam.CreateRoleInput{RoleName: aws.String(fmt.Sprint("r", i)), AssumeRolePolicyDocument: &lambdaTrust})
				made <- err
			}
		}()
	}
	created := 0
	for range callers * names {
		if err := <-made; err == nil {
			created++
		} else {
			refused(t, "another's name", err, "EntityAlreadyExists", "")
		}
	}
	m := ok[awsiam.GetAccountSummaryOutput](t)(n.GetAccountSummary(ctx, &awsiam.GetAccountSummaryInput{})).SummaryMap
	if created != names || m["Roles"] != names {
		t.Errorf("%d were created and %d counted, not %d", created, m["Roles"], names)
	}
}
