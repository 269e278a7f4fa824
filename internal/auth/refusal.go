package auth

import (
	"fmt"
	"net/http"

	"github.com/mayfly-cloud/mayfly/internal/fault"
)

// Reason is why a request was refused.
type Reason int

// The reasons, in the order they are looked for.
const (
	Missing      Reason = iota // no signature at all
	Unsupported                // an Authorization header of another kind
	Malformed                  // a signature that cannot be read
	WrongScope                 // signed for another region, service or day
	NotSigned                  // a header that must be under the signature is not
	Stale                      // signed too long ago or in the future
	Expired                    // a presigned URL past its end
	UnknownKey                 // nobody has this access key
	InvalidToken               // the session token is forged, revoked or another's
	ExpiredToken               // the session has ended
	Mismatch                   // the signature is not of this request
	BadPayload                 // S3's x-amz-content-sha256 is missing or makes no sense
)

// Dialect is how a family of services words its refusals.
type Dialect int

// The dialects. Services with a JSON body and X-Amz-Target answer 400 where those
// with REST paths answer 403, all else being equal.
const (
	REST  Dialect = iota // restJson1: Lambda
	JSON                 // awsJson, rpc-v2-cbor: CloudWatch Logs, DynamoDB
	Query                // awsQuery: STS, IAM, SNS
	S3                   // restXml as S3 speaks it
)

// Refusal is a request that is not let in, before its protocol is known.
type Refusal struct {
	Reason Reason

	detail string // AWS's message where it says what was wrong
	query  bool   // the signature is in the query
	s3     string // detail in S3's words, where they differ
	fields map[string]string
}

// Error says why, for our log.
func (r *Refusal) Error() string {
	a := answers[r.Reason][REST]
	if a.message == "" {
		return "refused: " + r.detail
	}
	return "refused: " + a.message
}

// Fault is the refusal as the services of a dialect answer it.
func (r *Refusal) Fault(d Dialect) *fault.Error {
	a := answers[r.Reason][d]
	f := &fault.Error{Code: a.code, Status: a.status, Message: a.message}
	if f.Message == "" {
		f.Message = r.detail
	}
	if d != S3 {
		return f
	}
	f.Fields = r.fields
	if a.code == "AuthorizationHeaderMalformed" && r.query {
		f.Code = "AuthorizationQueryParametersError"
	} else if a.code == "AuthorizationHeaderMalformed" && r.s3 != "" {
		f.Message = "The authorization header is malformed; " + r.s3
	}
	if r.query && r.s3 != "" {
		f.Message = r.s3
	}
	return f
}

func malformed(query bool, format string, args ...any) *Refusal {
	text := fmt.Sprintf(format, args...)
	return &Refusal{Reason: Malformed, detail: text, s3: text, query: query}
}

// answer is one refusal in one dialect. An empty message stands for the detail.
type answer struct {
	code    string
	status  int
	message string
}

const (
	invalidToken  = "The security token included in the request is invalid."
	expiredToken  = "The security token included in the request is expired"
	mismatch      = "The request signature we calculated does not match the signature you provided. Check your "
	mismatchAWS   = mismatch + "AWS Secret Access Key and signing method. Consult the service documentation for details."
	malformedAuth = "AuthorizationHeaderMalformed"
)

// answers has AWS's code, status and message for every reason and dialect.
// Sources: the CommonErrors page of each service's API reference, and
// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html.
var answers = map[Reason][4]answer{
	Missing: {
		REST:  {"MissingAuthenticationTokenException", http.StatusForbidden, "Missing Authentication Token"},
		JSON:  {"MissingAuthenticationTokenException", http.StatusBadRequest, "Request is missing Authentication Token"},
		Query: {"MissingAuthenticationToken", http.StatusForbidden, "Request is missing Authentication Token"},
		S3:    {"AccessDenied", http.StatusForbidden, "Access Denied"},
	},
	Unsupported: {
		REST:  {"IncompleteSignatureException", http.StatusForbidden, ""},
		JSON:  {"IncompleteSignatureException", http.StatusBadRequest, ""},
		Query: {"IncompleteSignature", http.StatusBadRequest, ""},
		S3: {"InvalidRequest", http.StatusBadRequest,
			"The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256."},
	},
	Malformed: {
		REST:  {"IncompleteSignatureException", http.StatusForbidden, ""},
		JSON:  {"IncompleteSignatureException", http.StatusBadRequest, ""},
		Query: {"IncompleteSignature", http.StatusBadRequest, ""},
		S3:    {malformedAuth, http.StatusBadRequest, ""},
	},
	WrongScope: {
		REST:  {"InvalidSignatureException", http.StatusForbidden, ""},
		JSON:  {"InvalidSignatureException", http.StatusBadRequest, ""},
		Query: {"SignatureDoesNotMatch", http.StatusForbidden, ""},
		S3:    {malformedAuth, http.StatusBadRequest, ""},
	},
	NotSigned: {
		REST:  {"InvalidSignatureException", http.StatusForbidden, ""},
		JSON:  {"InvalidSignatureException", http.StatusBadRequest, ""},
		Query: {"SignatureDoesNotMatch", http.StatusForbidden, ""},
		S3:    {"AccessDenied", http.StatusForbidden, "There were headers present in the request which were not signed"},
	},
	Stale: {
		REST:  {"InvalidSignatureException", http.StatusForbidden, ""},
		JSON:  {"InvalidSignatureException", http.StatusBadRequest, ""},
		Query: {"SignatureDoesNotMatch", http.StatusForbidden, ""},
		S3: {"RequestTimeTooSkewed", http.StatusForbidden,
			"The difference between the request time and the current time is too large."},
	},
	Expired: {
		REST:  {"InvalidSignatureException", http.StatusForbidden, ""},
		JSON:  {"InvalidSignatureException", http.StatusBadRequest, ""},
		Query: {"RequestExpired", http.StatusBadRequest, "Request has expired."},
		S3:    {"AccessDenied", http.StatusForbidden, "Request has expired"},
	},
	UnknownKey: {
		REST:  {"UnrecognizedClientException", http.StatusForbidden, invalidToken},
		JSON:  {"UnrecognizedClientException", http.StatusBadRequest, invalidToken},
		Query: {"InvalidClientTokenId", http.StatusForbidden, invalidToken},
		S3: {"InvalidAccessKeyId", http.StatusForbidden,
			"The AWS Access Key Id you provided does not exist in our records."},
	},
	InvalidToken: {
		REST:  {"UnrecognizedClientException", http.StatusForbidden, invalidToken},
		JSON:  {"UnrecognizedClientException", http.StatusBadRequest, invalidToken},
		Query: {"InvalidClientTokenId", http.StatusForbidden, invalidToken},
		S3:    {"InvalidToken", http.StatusBadRequest, "The provided token is malformed or otherwise invalid."},
	},
	ExpiredToken: {
		REST:  {"ExpiredTokenException", http.StatusForbidden, expiredToken},
		JSON:  {"ExpiredTokenException", http.StatusBadRequest, expiredToken},
		Query: {"ExpiredToken", http.StatusForbidden, expiredToken},
		S3:    {"ExpiredToken", http.StatusBadRequest, "The provided token has expired."},
	},
	Mismatch: {
		REST:  {"InvalidSignatureException", http.StatusForbidden, mismatchAWS},
		JSON:  {"InvalidSignatureException", http.StatusBadRequest, mismatchAWS},
		Query: {"SignatureDoesNotMatch", http.StatusForbidden, mismatchAWS},
		S3:    {"SignatureDoesNotMatch", http.StatusForbidden, mismatch + "key and signing method."},
	},
	BadPayload: { // of S3 alone; the others hash the body themselves
		REST:  {"InvalidRequestException", http.StatusBadRequest, ""},
		JSON:  {"InvalidRequestException", http.StatusBadRequest, ""},
		Query: {"InvalidRequest", http.StatusBadRequest, ""},
		S3:    {"InvalidRequest", http.StatusBadRequest, ""},
	},
}
