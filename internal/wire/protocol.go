package wire

import (
	"net/http"
	"strings"
)

// Protocol is one of AWS's application protocols, as the Smithy documentation
// names them: https://smithy.io/2.0/aws/protocols/index.html.
type Protocol uint8

// The protocols spoken here.
const (
	RestJSON Protocol = iota // aws.protocols#restJson1
	JSON10                   // aws.protocols#awsJson1_0
	JSON11                   // aws.protocols#awsJson1_1
	Query                    // aws.protocols#awsQuery
	RestXML                  // aws.protocols#restXml, errors without a wrapper as S3 has them
	CBOR                     // smithy.protocols#rpcv2Cbor
)

// String gives the protocol's name in Smithy's models.
func (p Protocol) String() string {
	return [...]string{"restJson1", "awsJson1_0", "awsJson1_1", "awsQuery", "restXml", "rpcv2Cbor"}[p]
}

// rest says whether members travel in the path, query and headers too.
func (p Protocol) rest() bool { return p == RestJSON || p == RestXML }

// bodyTime is how a timestamp in a body is written when the model does not say.
func (p Protocol) bodyTime() timeFormat {
	if p == Query || p == RestXML {
		return formatDateTime
	}
	return formatEpoch
}

const (
	typeJSON   = "application/json"
	typeJSON10 = "application/x-amz-json-1.0"
	typeJSON11 = "application/x-amz-json-1.1"
	typeCBOR   = "application/cbor"
	typeXML    = "application/xml"
	typeText   = "text/xml"
	typeForm   = "application/x-www-form-urlencoded"
	typeBlob   = "application/octet-stream"
	typeEvents = "application/vnd.amazon.eventstream"
)

// contentType is what a body of this protocol is labelled with.
func (p Protocol) contentType() string {
	return [...]string{typeJSON, typeJSON10, typeJSON11, typeText, typeXML, typeCBOR}[p]
}

// Guess tells the protocol of a request from its headers alone, for an answer to
// a request that no service could be found for. What it cannot tell is restJson1.
func Guess(req *http.Request) Protocol {
	if req.Header.Get("Smithy-Protocol") == "rpc-v2-cbor" {
		return CBOR
	}
	content, _, _ := strings.Cut(req.Header.Get("Content-Type"), ";")
	switch content = strings.ToLower(strings.TrimSpace(content)); {
	case content == typeJSON10:
		return JSON10
	case content == typeJSON11, req.Header.Get("X-Amz-Target") != "":
		return JSON11
	case content == typeCBOR:
		return CBOR
	case content == typeForm, req.URL.Query().Has("Action"):
		return Query
	case content == typeXML, content == typeText, strings.Contains(req.Header.Get("Authorization"), "/s3/aws4_request"):
		return RestXML // S3's requests have no type; its credential's scope names it
	}
	return RestJSON
}
