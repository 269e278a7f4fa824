package auth_test

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"hash/crc64"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/mayfly-cloud/mayfly/internal/auth"
)

// documented composes the chunked uploads of the S3 API reference: 65 KiB of "a" in
// chunks of 64 KiB.
func documented(trailer bool) (headers, body string) {
	sigs := []string{"ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
		"0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
		"b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"}
	form, seed, extra := "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9", ""
	signed := "content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class"
	length := "66824"
	if trailer {
		form, seed = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e"
		sigs = []string{"b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
			"1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
			"2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992"}
		signed = "content-encoding;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class;x-amz-trailer"
		extra = "X-Amz-Trailer: x-amz-checksum-crc32c\r\n"
	}
	var b strings.Builder
	for i, size := range []int{65536, 1024, 0} {
		fmt.Fprintf(&b, "%x;chunk-signature=%s\r\n%s", size, sigs[i], strings.Repeat("a", size))
		if size > 0 {
			b.WriteString("\r\n")
		}
	}
	if trailer {
		b.WriteString("x-amz-checksum-crc32c:sOO8/Q==\r\nx-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n")
		length = fmt.Sprint(b.Len() + 2)
	}
	b.WriteString("\r\n")
	headers = "PUT /examplebucket/chunkObject.txt HTTP/1.1\r\nHost: s3.amazonaws.com\r\nX-Amz-Date: 20130524T000000Z\r\n" +
		"X-Amz-Storage-Class: REDUCED_REDUNDANCY\r\nContent-Encoding: aws-chunked\r\nX-Amz-Decoded-Content-Length: 66560\r\n" +
		"Content-Length: " + length + "\r\nX-Amz-Content-Sha256: " + form + "\r\n" + extra +
		"Authorization: AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=" +
		signed + ",Signature=" + seed + "\r\n\r\n"
	return headers, b.String()
}

func TestDocumentedChunkedUpload(t *testing.T) {
	v := verifier(docsKey, at(t, "20130524T000000Z"))
	for _, trailer := range []bool{false, true} {
		headers, body := documented(trailer)
		got, err := checkS3(v, receive(t, headers+body))
		if err != nil || string(got) != strings.Repeat("a", 66560) {
			t.Errorf("trailer %v: %d bytes, %v", trailer, len(got), err)
		}
		r := receive(t, headers+body)
		r.Body = io.NopCloser(iotest.OneByteReader(r.Body))
		if got, err := checkS3(v, r); err != nil || len(got) != 66560 {
			t.Errorf("trailer %v, byte by byte: %d bytes, %v", trailer, len(got), err)
		}
	}
}

func TestTamperedChunkedUpload(t *testing.T) {
	v := verifier(docsKey, at(t, "20130524T000000Z"))
	for _, tt := range []struct {
		name     string
		trailer  bool
		old, new string
		want     string
	}{
		{"data", false, "aaaa\r\n400;", "aaab\r\n400;", "SignatureDoesNotMatch"},
		{"last data", false, "aaaa\r\n0;", "aaba\r\n0;", "SignatureDoesNotMatch"},
		{"chunk signature", false, "=0055627c", "=0055627d", "SignatureDoesNotMatch"},
		{"last signature", false, "=b6c6ea8a", "=b6c6ea8b", "SignatureDoesNotMatch"},
		{"size", false, "\r\n400;", "\r\n3ff;", "IncompleteBody"},
		{"size beyond what was announced", false, "\r\n400;", "\r\n401;", "IncompleteBody"},
		{"huge size", false, "\r\n400;", "\r\n7fffffffffffffff;", "IncompleteBody"},
		{"size no number", false, "\r\n400;", "\r\nx;", "IncompleteBody"},
		{"negative size", false, "\r\n400;", "\r\n-400;", "IncompleteBody"},
		{"no signature", false, "400;chunk-signature=", "400", "IncompleteBody"},
		{"more after the end", false, "79d449df9\r\n\r\n", "79d449df9\r\n\r\nx", "IncompleteBody"},
		{"long line", false, "\r\n400;", "\r\n" + strings.Repeat("0", 5000) + "400;", "IncompleteBody"},
		{"early end", false, "400;chunk-signature=0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497", "0;chunk-signature=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9", "IncompleteBody"},
		{"checksum", true, "sOO8/Q", "sOO8/R", "SignatureDoesNotMatch"},
		{"trailer signature", true, ":d81f82", ":d81f83", "SignatureDoesNotMatch"},
		{"another trailer", true, "x-amz-checksum-crc32c:", "x-amz-checksum-crc32:", "MalformedTrailerError"},
		{"no trailer signature", true, "x-amz-trailer-signature", "x-amz-other", "MalformedTrailerError"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			headers, body := documented(tt.trailer)
			bad := strings.Replace(body, tt.old, tt.new, 1)
			if bad == body {
				t.Fatal("nothing was changed")
			}
			r := receive(t, headers+body)
			r.Body = io.NopCloser(strings.NewReader(bad))
			if got, err := checkS3(v, r); code(err, auth.S3) != tt.want {
				t.Errorf("%d bytes, %v, want %s", len(got), err, tt.want)
			}
		})
	}
	headers, body := documented(true)
	for cut := range []int{0, 10, 70000, len(body) - 100, len(body) - 1} {
		r := receive(t, headers+body)
		r.Body = io.NopCloser(strings.NewReader(body[:cut]))
		if _, err := checkS3(v, r); code(err, auth.S3) != "IncompleteBody" {
			t.Errorf("cut at %d: %v", cut, err)
		}
	}
}

func TestUnsignedTrailer(t *testing.T) {
	now := at(t, "20260101T000000Z")
	v := verifier(docsKey, now)
	ieee, nvme := crc32.ChecksumIEEE([]byte("hello world")), crc64.Checksum([]byte("hello world"), crc64.MakeTable(0x9a6c9329ac4bc9b5))
	for _, tt := range []struct{ name, announced, trailer, want string }{
		{"crc32", "x-amz-checksum-crc32", "x-amz-checksum-crc32:" + base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint32(nil, ieee)), ""},
		{"crc64nvme", "x-amz-checksum-crc64nvme", "x-amz-checksum-crc64nvme:" + base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint64(nil, nvme)), ""},
		{"sha256", "x-amz-checksum-sha256", "x-amz-checksum-sha256:uU0nuZNNPgilLlLX2n2r+sSE7+N6U4DukIj3rOLvzek=", ""},
		{"sha1", "x-amz-checksum-sha1", "x-amz-checksum-sha1:Kq5sNclPz7QV2+lfQIuc6R7oRu0=", ""},
		{"wrong", "x-amz-checksum-crc32", "x-amz-checksum-crc32:AAAAAA==", "BadDigest"},
		{"unknown", "x-amz-checksum-md4", "x-amz-checksum-md4:AAAAAA==", "InvalidRequest"},
		{"none announced", "", "x-amz-checksum-crc32:AAAAAA==", "InvalidRequest"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			body := "6\r\nhello \r\n5\r\nworld\r\n0\r\n" + tt.trailer + "\r\n\r\n"
			r, _ := http.NewRequest("PUT", "http://b.s3.localhost/k", strings.NewReader(body))
			r.Header.Set("X-Amz-Content-Sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER")
			r.Header.Set("X-Amz-Decoded-Content-Length", "11")
			if tt.announced != "" {
				r.Header.Set("X-Amz-Trailer", tt.announced)
			}
			signHash(t, r, docsKey, "s3", "STREAMING-UNSIGNED-PAYLOAD-TRAILER", now.Now())
			got, err := checkS3(v, send(t, r))
			if code(err, auth.S3) != tt.want || tt.want == "" && string(got) != "hello world" {
				t.Errorf("got %q, %v, want %q", got, err, tt.want)
			}
		})
	}
}

// TestChecksumOfNVMe holds our table against the check value of its specification.
func TestChecksumOfNVMe(t *testing.T) {
	if got := crc64.Checksum([]byte("123456789"), crc64.MakeTable(0x9a6c9329ac4bc9b5)); got != 0xae8b14860a799888 {
		t.Errorf("CRC-64/NVME of the check string is %#x", got)
	}
}
