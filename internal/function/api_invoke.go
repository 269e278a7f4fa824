package function

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/mayfly-cloud/mayfly/internal/id"
	"github.com/mayfly-cloud/mayfly/internal/invoke"
	"github.com/mayfly-cloud/mayfly/internal/trace"
	"github.com/mayfly-cloud/mayfly/internal/wire"
)

// maxClientContext is what a client context may weigh before its base 64 is
// undone, as AWS documents it.
const maxClientContext = 3583

// calls are the operations that run functions.
type calls struct {
	*Service
	run Invoker
}

func (c calls) invoke(ctx context.Context, in *lambda.InvokeInput) (*lambda.InvokeOutput, error) {
	if err := refuseAny([]named{
		{"DurableExecutionName", in.DurableExecutionName != nil},
		{"TenantId", in.TenantId != nil},
	}); err != nil {
		return nil, err
	}
	r := requestOf(ctx, in.FunctionName, in.Qualifier, in.Payload)
	var err error
	if r.ClientContext, err = clientContext(in.ClientContext); err != nil {
		return nil, err
	}
	if r.Tail, err = tailOf(in.LogType); err != nil {
		return nil, err
	}
	switch in.InvocationType {
	case types.InvocationTypeEvent:
		if err := c.run.InvokeAsync(ctx, r); err != nil {
			return nil, err
		}
		return &lambda.InvokeOutput{StatusCode: http.StatusAccepted}, nil
	case types.InvocationTypeDryRun:
		if _, err := c.Resolve(ctx, r.Function, r.Qualifier); err != nil {
			return nil, err
		}
		return &lambda.InvokeOutput{StatusCode: http.StatusNoContent}, nil
	case "", types.InvocationTypeRequestResponse:
	default:
		return nil, oneOf(string(in.InvocationType), "invocationType", "Event", "DryRun", "RequestResponse")
	}
	resp, err := c.run.Invoke(ctx, r)
	if err != nil {
		return nil, err
	}
	return &lambda.InvokeOutput{
		StatusCode: http.StatusOK, Payload: resp.Payload, ExecutedVersion: text(resp.Version),
		FunctionError: text(resp.FunctionError), LogResult: logResult(r, resp),
	}, nil
}

func requestOf(ctx context.Context, function, qualifier *string, payload []byte) invoke.Request {
	return invoke.Request{
		ID: id.Request(ctx), Function: str(function), Qualifier: str(qualifier),
		Payload: payload, TraceHeader: trace.Header(ctx),
	}
}

func tailOf(t types.LogType) (bool, error) {
	if t == "" {
		return false, nil
	}
	return t == types.LogTypeTail, oneOf(string(t), "logType", "None", "Tail")
}

func logResult(r invoke.Request, resp *invoke.Response) *string {
	if !r.Tail {
		return nil
	}
	return text(base64.StdEncoding.EncodeToString(resp.LogTail))
}

// clientContext undoes the base 64 of a client context, which must be JSON.
func clientContext(header *string) (string, error) {
	if header == nil || *header == "" {
		return "", nil
	}
	b, err := base64.StdEncoding.DecodeString(*header)
	if err != nil || len(*header) > maxClientContext || !json.Valid(b) {
		return "", user(http.StatusBadRequest, "InvalidRequestContentException",
			"Client context must be a valid Base64-encoded JSON object of at most %d bytes.", maxClientContext)
	}
	return string(b), nil
}

// invokeAsync is the operation that Event replaced long ago.
func (c calls) invokeAsync(ctx context.Context, in *lambda.InvokeAsyncInput) (*lambda.InvokeAsyncOutput, error) {
	var payload []byte
	if in.InvokeArgs != nil {
		var err error
		payload, err = io.ReadAll(io.LimitReader(in.InvokeArgs, invoke.MaxEventPayload+1))
		if err != nil {
			return nil, fmt.Errorf("read event: %w", err)
		}
	}
	r := requestOf(ctx, in.FunctionName, nil, payload)
	if err := c.run.InvokeAsync(ctx, r); err != nil {
		return nil, err
	}
	return &lambda.InvokeAsyncOutput{Status: http.StatusAccepted}, nil
}

func (c calls) invokeStream(ctx context.Context, in *lambda.InvokeWithResponseStreamInput, events *wire.EventStream[lambda.InvokeWithResponseStreamOutput]) error {
	if in.TenantId != nil {
		return unsupported("TenantId")
	}
	r := requestOf(ctx, in.FunctionName, in.Qualifier, in.Payload)
	var err error
	if r.ClientContext, err = clientContext(in.ClientContext); err != nil {
		return err
	}
	if r.Tail, err = tailOf(in.LogType); err != nil {
		return err
	}
	t, err := c.Resolve(ctx, r.Function, r.Qualifier)
	if err != nil {
		return err
	}
	switch in.InvocationType {
	case types.ResponseStreamingInvocationTypeDryRun:
		return events.Start(&lambda.InvokeWithResponseStreamOutput{StatusCode: http.StatusNoContent})
	case "", types.ResponseStreamingInvocationTypeRequestResponse:
	default:
		return oneOf(string(in.InvocationType), "invocationType", "RequestResponse", "DryRun")
	}
	out := &eventStream{events: events, version: t.Version.Number}
	resp, err := c.run.InvokeStream(ctx, r, out)
	if err != nil {
		return err
	}
	return out.complete(r, resp)
}

// eventStream passes a streamed answer on as events.
type eventStream struct {
	events  *wire.EventStream[lambda.InvokeWithResponseStreamOutput]
	version string
	begun   bool
}

// Begin sends the head of the answer. The content type of what the function
// streams is not told, as with AWS: the answer's own is that of events.
func (e *eventStream) Begin(string) error {
	e.begun = true
	return e.events.Start(&lambda.InvokeWithResponseStreamOutput{StatusCode: http.StatusOK, ExecutedVersion: &e.version})
}

// maxChunk keeps an event under what the SDKs' decoders take.
const maxChunk = 1 << 20

func (e *eventStream) Write(p []byte) (int, error) {
	for sent := 0; sent < len(p); {
		chunk := p[sent:min(len(p), sent+maxChunk)]
		err := e.events.Send(&types.InvokeWithResponseStreamResponseEventMemberPayloadChunk{
			Value: types.InvokeResponseStreamUpdate{Payload: chunk},
		})
		if err != nil {
			return sent, err
		}
		sent += len(chunk)
	}
	return len(p), nil
}

// Flush has nothing to do: every event leaves at once.
func (e *eventStream) Flush() error { return nil }

// complete ends the stream with how the call went.
func (e *eventStream) complete(r invoke.Request, resp *invoke.Response) error {
	if !e.begun {
		if err := e.Begin(""); err != nil {
			return err
		}
	}
	done := types.InvokeWithResponseStreamCompleteEvent{LogResult: logResult(r, resp)}
	if resp.FunctionError != "" {
		details := struct {
			ErrorType string `json:"errorType"`
		}{}
		// A function's own error is JSON; anything else is passed on as it is.
		if err := json.Unmarshal(resp.Payload, &details); err != nil {
			details.ErrorType = ""
		}
		done.ErrorCode = text(details.ErrorType)
		if details.ErrorType == "" {
			done.ErrorCode = &resp.FunctionError
		}
		done.ErrorDetails = text(string(resp.Payload))
	}
	return e.events.Send(&types.InvokeWithResponseStreamResponseEventMemberInvokeComplete{Value: done})
}
