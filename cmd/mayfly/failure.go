package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
)

// noNode says that nobody is at the node's address, and how that showed.
type noNode struct {
	endpoint string
	cause    error
}

func (n noNode) Error() string { return "no node answers at " + n.endpoint + ": " + n.cause.Error() }

// plain turns an SDK's error into what a person needs of it.
func (c *client) plain(err error) error {
	var api smithy.APIError
	var unsent *url.Error
	var h hinted
	switch {
	case err == nil:
		return nil
	case errors.As(err, &api):
		plain := fmt.Errorf("%s: %s", api.ErrorCode(), api.ErrorMessage())
		if errors.As(err, &h) {
			return hinted{plain, h.hint}
		}
		request := ""
		if res := (*awshttp.ResponseError)(nil); errors.As(err, &res) {
			request = res.ServiceRequestID()
		}
		return withAdvice(plain, api.ErrorCode(), request)
	case errors.Is(err, context.Canceled):
		return errors.New("interrupted")
	case errors.As(err, &unsent):
		return c.unreachable(unsent.Err)
	}
	return err
}

// unreachable says that the node was not to be had, and where its address came from.
func (c *client) unreachable(cause error) error {
	gone := fmt.Errorf("the node at %s can't be talked to: %w", c.endpoint, cause)
	if dial := (*net.OpError)(nil); errors.As(cause, &dial) && dial.Op == "dial" {
		gone = noNode{c.endpoint, dial.Err}
	}
	if c.endpoint == os.Getenv("AWS_ENDPOINT_URL") {
		return hint(gone, "The address is this shell's AWS_ENDPOINT_URL. Name another with --listen, or start a node there: mayfly up")
	}
	return hint(gone, "Start one: mayfly up\nOr name its address with --listen or MAYFLY_LISTEN.")
}

// withAdvice adds to what a node answered what to do about it.
func withAdvice(err error, code, request string) error {
	switch code {
	case "InvalidSignatureException", "SignatureDoesNotMatch", "UnrecognizedClientException", "InvalidClientTokenId", "InvalidAccessKeyId":
		if os.Getenv("AWS_ACCESS_KEY_ID") == "" {
			return hint(err, "The credentials in the data folder are not this node's. Name its folder with --data or MAYFLY_DATA.")
		}
		return hint(err, "This shell's AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not this node's. To take the data folder's:\n"+
			`unset AWS_ACCESS_KEY_ID; eval "$(mayfly env)"`)
	case "AccessDenied", "AccessDeniedException":
		if request != "" {
			return hint(err, "Why, and what would allow it, as root or who may read the audit trail: mayfly why-denied %s", request)
		}
	}
	return err
}
