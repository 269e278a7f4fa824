package auth

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"github.com/mayfly-cloud/mayfly/internal/fault"
)

// The forms of a payload, as x-amz-content-sha256 names them; a SHA-256 in
// hexadecimal is the fifth.
const (
	unsignedPayload  = "UNSIGNED-PAYLOAD"
	unsignedTrailer  = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
	signedChunks     = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
	signedTrailer    = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
	contentSHA256    = "X-Amz-Content-Sha256"
	decodedLength    = "X-Amz-Decoded-Content-Length"
	hexadecimalWidth = 2 * sha256.Size
)

// Open checks the signature of a request for S3, whose headers say how its body was
// signed, and says whose it is. It does not read the body: the reader it returns
// does, without the chunk framing, and its last Read fails with a *fault.Error
// instead of io.EOF if the body is not the one that was signed. Until then the bytes
// are a stranger's: nothing may be done with them that cannot be undone.
func (a *Admission) Open() (Principal, io.Reader, error) {
	form, refusal := payloadForm(a.r, &a.s)
	if refusal != nil {
		return Principal{}, nil, refusal
	}
	key, err := a.v.match(a.r, &a.s, a.cred.Secret, form)
	if err != nil {
		return Principal{}, nil, err
	}
	body, err := openPayload(a.r, &a.s, form, key)
	return a.cred.Principal, body, err
}

// payloadForm says how the payload was signed. A presigned URL signs none unless it
// says so.
func payloadForm(r *http.Request, s *Signature) (string, *Refusal) {
	form := r.Header.Get(contentSHA256)
	if form == "" && s.Presigned {
		if q, err := url.ParseQuery(r.URL.RawQuery); err == nil {
			form = q.Get(contentSHA256)
		}
		if form == "" {
			form = unsignedPayload
		}
	}
	switch form {
	case "":
		return "", &Refusal{Reason: BadPayload, detail: "Missing required header for this request: x-amz-content-sha256"}
	case unsignedPayload, unsignedTrailer, signedChunks, signedTrailer:
		return form, nil
	}
	if _, err := hex.DecodeString(form); err != nil || len(form) != hexadecimalWidth {
		return "", &Refusal{Reason: BadPayload, detail: "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, " +
			"STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, " +
			"STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value."}
	}
	return form, nil
}

func openPayload(r *http.Request, s *Signature, form string, key [sha256.Size]byte) (io.Reader, error) {
	switch form {
	case unsignedPayload:
		return r.Body, nil
	case unsignedTrailer, signedChunks, signedTrailer:
	default:
		want, _ := hex.DecodeString(form) // payloadForm has seen that it decodes
		return &hashed{body: r.Body, hash: sha256.New(), want: want}, nil
	}
	length, err := strconv.ParseInt(r.Header.Get(decodedLength), 10, 64)
	if err != nil || length < 0 {
		return nil, fault.New(http.StatusLengthRequired, "MissingContentLength", "You must provide the Content-Length HTTP header.")
	}
	var signer *chunkSigner
	if form != unsignedTrailer {
		signer = &chunkSigner{key: key, stamp: s.stamp, scope: s.scope, previous: []byte(s.mac), hash: sha256.New()}
	}
	var sum *checksum
	if form != signedChunks {
		if sum, err = newChecksum(r.Header.Get("X-Amz-Trailer")); err != nil {
			return nil, err
		}
	}
	return newChunked(r.Body, length, signer, sum), nil
}

// hashed reads a body whose SHA-256 was signed.
type hashed struct {
	body io.Reader
	hash hash.Hash
	want []byte
}

func (h *hashed) Read(p []byte) (int, error) {
	n, err := h.body.Read(p)
	h.hash.Write(p[:n])
	if err != io.EOF {
		return n, err
	}
	if got := h.hash.Sum(nil); !bytes.Equal(got, h.want) {
		return n, fault.New(http.StatusBadRequest, "XAmzContentSHA256Mismatch",
			"The provided 'x-amz-content-sha256' header does not match what was computed.").
			With("ClientComputedContentSHA256", hex.EncodeToString(h.want)).
			With("S3ComputedContentSHA256", hex.EncodeToString(got))
	}
	return n, io.EOF
}
