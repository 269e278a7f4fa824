package key

import (
	"net/http"

	"github.com/mayfly-cloud/mayfly/internal/fault"
)

// The faults of KMS, by AWS's codes; all but its own failures are answered 400.
// https://docs.aws.amazon.com/kms/latest/APIReference/CommonErrors.html

func refuse(code, format string, args ...any) *fault.Error {
	return fault.New(http.StatusBadRequest, code, format, args...)
}

func invalid(format string, args ...any) *fault.Error {
	return refuse("ValidationException", format, args...)
}

// violates answers a value against the API's own constraints.
func violates(value any, member, constraint string) *fault.Error {
	return invalid("1 validation error detected: Value '%v' at '%s' failed to satisfy constraint: %s", value, member, constraint)
}

// unsupported refuses what AWS has and this has not, rather than letting a caller
// believe that it took effect.
func unsupported(what string) *fault.Error {
	return refuse("UnsupportedOperationException", "%s: not offered by Mayfly, which has symmetric encryption keys of its own making only.", what)
}

func noKey(arn string) *fault.Error {
	return refuse("NotFoundException", "Key '%s' does not exist", arn)
}

func noAlias(arn string) *fault.Error {
	return refuse("NotFoundException", "Alias %s is not found.", arn)
}

func disabled(arn string) *fault.Error { return refuse("DisabledException", "%s is disabled.", arn) }

func pending(arn string) *fault.Error {
	return refuse("KMSInvalidStateException", "%s is pending deletion.", arn)
}

// Ciphertexts are refused alike whatever is wrong inside: nobody learns from it.
var (
	errCiphertext = refuse("InvalidCiphertextException", "The ciphertext can't be decrypted: it was changed, or the encryption context is not the one it was made with.")
	errWrongKey   = refuse("IncorrectKeyException", "The key ID in the request does not identify a CMK that can perform this operation.")
	errForeign    = refuse("AccessDeniedException", "The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access.")
	errMarker     = refuse("InvalidMarkerException", "The marker is not one that this operation has given for this request.")
	errDryRun     = refuse("DryRunOperationException", "The request would have succeeded, but the DryRun option is set.")
)

// clip keeps a stranger's text in a message short.
func clip(s string) string {
	const most = 200
	if len(s) > most {
		return s[:most] + "..."
	}
	return s
}
