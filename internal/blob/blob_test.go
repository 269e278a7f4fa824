package blob_test

import (
	"strings"
	"testing"

	"github.com/mayfly-cloud/mayfly/internal/blob"
)

func TestParseDigest(t *testing.T) {
	const empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	d, err := blob.ParseDigest(empty)
	if err != nil || d.Base64() != "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=" {
		t.Errorf("%s, %v", d.Base64(), err)
	}
	for _, s := range []string{"", empty[1:], empty + "0", strings.ToUpper(empty), "../" + empty[3:], "g" + empty[1:]} {
		if _, err := blob.ParseDigest(s); err == nil {
			t.Errorf("%q was taken for a digest", s)
		}
	}
}
