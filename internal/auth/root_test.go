package auth_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/auth"
)

func TestRootIsMadeOnce(t *testing.T) {
	dir := t.TempDir()
	first, err := auth.OpenRoot(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	for what, ok := range map[string]bool{
		"account":    regexp.MustCompile(`^[1-9][0-9]{11}$`).MatchString(first.Account()),
		"access key": regexp.MustCompile(`^AKIA[A-Z2-7]{16}$`).MatchString(first.AccessKeyID()),
		"secret":     len(first.SecretAccessKey()) == 40,
	} {
		if !ok {
			t.Errorf("%s has not AWS's form", what)
		}
	}
	again, err := auth.OpenRoot(dir, first.Account())
	if err != nil {
		t.Fatal(err)
	}
	if again.AccessKeyID() != first.AccessKeyID() || again.SecretAccessKey() != first.SecretAccessKey() {
		t.Error("the second start made other credentials")
	}
	if strings.Contains(fmt.Sprint(first), first.SecretAccessKey()) {
		t.Error("printing it shows the secret")
	}
	if _, err := auth.OpenRoot(dir, "999999999999"); err == nil || !strings.Contains(err.Error(), "belongs to account") {
		t.Errorf("another account: %v", err)
	}
	if _, err := auth.OpenRoot(dir, "12"); err == nil {
		t.Error("an account id of two digits was taken")
	}
}

func TestRootFileIsTheOwnersAlone(t *testing.T) {
	dir := t.TempDir()
	if _, err := auth.OpenRoot(dir, "123456789012"); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "root.json")
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("left behind: %v", entries)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := auth.OpenRoot(dir, ""); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("a file that all may read: %v", err)
	}
	for _, bad := range []string{"", "{", `{"account":"123456789012"}`} {
		os.WriteFile(path, []byte(bad), 0o600)
		os.Chmod(path, 0o600)
		if _, err := auth.OpenRoot(dir, ""); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

func TestTwoFirstStartsAgree(t *testing.T) {
	dir := t.TempDir()
	var roots [8]*auth.Root
	var wg sync.WaitGroup
	for i := range roots {
		wg.Go(func() {
			var err error
			if roots[i], err = auth.OpenRoot(dir, ""); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, r := range roots[1:] {
		if r.Account() != roots[0].Account() || r.SecretAccessKey() != roots[0].SecretAccessKey() {
			t.Fatal("two starts at once made two accounts")
		}
	}
}

func TestRootSecret(t *testing.T) {
	root, err := auth.OpenRoot(t.TempDir(), "123456789012")
	if err != nil {
		t.Fatal(err)
	}
	cred, err := root.Secret(t.Context(), root.AccessKeyID(), "")
	if err != nil || cred.Principal.ARN != "arn:aws:iam::123456789012:root" || cred.Principal.Kind != auth.RootUser {
		t.Errorf("got %+v, %v", cred.Principal, err)
	}
	if _, err := root.Secret(t.Context(), root.AccessKeyID(), "token"); err != auth.ErrInvalidToken {
		t.Errorf("with a token: %v", err)
	}
	if _, err := root.Secret(t.Context(), "AKIAOTHER", ""); err != auth.ErrUnknownKey {
		t.Errorf("another key: %v", err)
	}
}

func TestRootIsRotated(t *testing.T) {
	dir := t.TempDir()
	root, err := auth.OpenRoot(dir, "123456789012")
	if err != nil {
		t.Fatal(err)
	}
	sessions := openSessions(t, dir, nil)
	issue := func(kind auth.Kind) auth.Credentials {
		t.Helper()
		c, err := sessions.Issue(auth.Grant{Kind: kind, ARN: "arn:aws:iam::123456789012:root", ID: "123456789012", Name: "fed", Life: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	own, federated, function := issue(auth.RootUser), issue(auth.FederatedUser), mint(t, sessions)
	keys := auth.Ring{root, root.Owned(sessions)}
	known := func(key, token string) error {
		_, err := keys.Secret(t.Context(), key, token)
		return err
	}
	old, oldSecret := root.AccessKeyID(), root.SecretAccessKey()
	for _, c := range []auth.Credentials{{AccessKeyID: old}, own, federated, function} {
		if err := known(c.AccessKeyID, c.Token); err != nil {
			t.Errorf("%s before: %v", c, err)
		}
	}
	if err := root.Rotate(dir); err != nil {
		t.Fatal(err)
	}
	if root.AccessKeyID() == old || root.SecretAccessKey() == oldSecret || root.Account() != "123456789012" {
		t.Errorf("the keys are %s of %s", root.AccessKeyID(), root.Account())
	}
	for c, want := range map[auth.Credentials]error{
		{AccessKeyID: old}: auth.ErrUnknownKey, own: auth.ErrInvalidToken, federated: auth.ErrInvalidToken, function: nil, {AccessKeyID: root.AccessKeyID()}: nil,
	} {
		if err := known(c.AccessKeyID, c.Token); err != want {
			t.Errorf("%s after: %v, want %v", c, err, want)
		}
	}
	again, err := auth.ReadRoot(dir)
	if err != nil || again.AccessKeyID() != root.AccessKeyID() || again.SecretAccessKey() != root.SecretAccessKey() {
		t.Errorf("the file has other keys: %v, %v", again, err)
	}
	if _, err := again.Owned(sessions).Secret(t.Context(), own.AccessKeyID, own.Token); err != auth.ErrInvalidToken {
		t.Errorf("a session of the old keys after a restart: %v", err)
	}
	if info, err := os.Stat(filepath.Join(dir, "root.json")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 2 {
		t.Errorf("left behind: %v", entries)
	}
	if err := root.Rotate(filepath.Join(dir, "none")); err == nil || root.AccessKeyID() != again.AccessKeyID() {
		t.Errorf("keys that could not be written are used: %v", err)
	}
}
