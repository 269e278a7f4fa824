package auth_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

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
	if *again != *first {
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
		if *r != *roots[0] {
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
