package secret_test

import (
	"context"
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/mayfly-cloud/mayfly/internal/secret"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

var errCrash = errors.New("crash")

// fused lets so many transactions through and none after: what a crash between two of
// them would leave.
type fused struct {
	store.Store
	left int
}

func (s *fused) Update(ctx context.Context, fn func(store.Tx) error) error {
	if s.left--; s.left < 0 {
		return errCrash
	}
	return s.Store.Update(ctx, fn)
}

// An update of key and value that is cut off anywhere leaves a value that can be read,
// and can be repeated with its token.
func TestUpdateCutOff(t *testing.T) {
	for cut := range 3 {
		n, ctx := start(t), context.Background()
		n.create(t, "a", "one")
		f := &fused{n.store, cut}
		service := secret.New(secret.Config{Store: f, Keys: n.keys, Policies: grammar{}, Account: account, Region: region, Clock: n.clock})
		u := secret.Update{
			KeyID: aws.String("mine"), Content: &secret.Content{Bytes: []byte("two")}, Token: "11111111-2222-4333-8444-555555555555",
		}
		_, _, err := service.Update(ctx, "a", u)
		if done := cut == 2; done != (err == nil) || !done && !errors.Is(err, errCrash) {
			t.Errorf("cut after %d: %v", cut, err)
		}
		want := "one"
		if cut == 2 {
			want = "two"
		}
		if got := n.get(t, "a", ""); got != want {
			t.Errorf("cut after %d it is %s", cut, got)
		}
		if cut == 2 {
			continue
		}
		f.left = 100
		if _, _, err := service.Update(ctx, "a", u); err != nil {
			t.Errorf("again after %d: %v", cut, err)
		}
		if got := n.get(t, "a", ""); got != "two" {
			t.Errorf("repeated, it is %s", got)
		}
	}
}

// A key changed under a writer's hands is changed with what the writer wrote.
func TestKeyChangedWhileValuesAreWritten(t *testing.T) {
	n, ctx := start(t), context.Background()
	n.create(t, "a", "one")
	done := make(chan error)
	go func() {
		for range 10 {
			if _, _, err := n.service.Put(ctx, "a", "", secret.Content{Bytes: []byte("two")}, nil); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	for _, key := range []string{"k1", "k2", "k3"} {
		// It gives up, having changed nothing, if the writer is always faster.
		if _, _, err := n.service.Update(ctx, "a", secret.Update{KeyID: &key}); err != nil && !errors.Is(err, secret.ErrMoved) {
			t.Error(err)
		}
		n.get(t, "a", "")
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	if got := n.get(t, "a", ""); got != "two" {
		t.Errorf("got %s", got)
	}
}
