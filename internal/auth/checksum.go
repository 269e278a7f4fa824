package auth

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"net/http"
	"strings"

	"github.com/mayfly-cloud/mayfly/internal/fault"
)

// nvme is the polynomial of CRC-64/NVME, bits reversed.
var nvme = crc64.MakeTable(0x9a6c9329ac4bc9b5)

// algorithms are the checksums a trailer may carry, by the trailer's name.
var algorithms = map[string]struct {
	name string
	make func() hash.Hash
}{
	"x-amz-checksum-crc32":     {"CRC32", func() hash.Hash { return crc32.NewIEEE() }},
	"x-amz-checksum-crc32c":    {"CRC32C", func() hash.Hash { return crc32.New(crc32.MakeTable(crc32.Castagnoli)) }},
	"x-amz-checksum-crc64nvme": {"CRC64NVME", func() hash.Hash { return crc64.New(nvme) }},
	"x-amz-checksum-sha1":      {"SHA1", sha1.New},
	"x-amz-checksum-sha256":    {"SHA256", sha256.New},
}

// checksum is the one that x-amz-trailer announces.
type checksum struct {
	trailer   string // "x-amz-checksum-crc32c"
	algorithm string // "CRC32C"
	hash.Hash
}

// newChecksum reads x-amz-trailer. The error is a *fault.Error.
func newChecksum(trailer string) (*checksum, error) {
	name := strings.ToLower(strings.TrimSpace(trailer))
	a, ok := algorithms[name]
	if !ok {
		return nil, fault.New(http.StatusBadRequest, "InvalidRequest",
			"The value specified in the x-amz-trailer header is not supported")
	}
	return &checksum{name, a.name, a.make()}, nil
}

// check holds the trailer's value against what was read.
func (c *checksum) check(value string) error {
	if value == base64.StdEncoding.EncodeToString(c.Sum(nil)) {
		return nil
	}
	return fault.New(http.StatusBadRequest, "BadDigest",
		"The %s you specified did not match the calculated checksum.", c.algorithm)
}
