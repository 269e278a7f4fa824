package queue

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/message"
	"github.com/mayfly-cloud/mayfly/internal/record"
)

// Received is a message that was received.
type Received struct {
	*message.Message
	Content
}

// Ask says what a Receive wants. Below zero is as the queue has it.
type Ask struct {
	Most             int
	Visibility, Wait time.Duration
	Attempt          string
}

const (
	maxReceive = 10
	maxWait    = 20 * time.Second
)

// Receive gives messages of a queue, and hides them from others.
func (s *Service) Receive(ctx context.Context, q *Queue, ask Ask) ([]*Received, error) {
	if ask.Visibility < 0 {
		ask.Visibility = q.seconds(attrVisibility)
	}
	if ask.Wait < 0 {
		ask.Wait = q.seconds(attrWait)
	}
	switch {
	case ask.Most < 1 || ask.Most > maxReceive:
		return nil, invalidValue(ask.Most, "MaxNumberOfMessages", "Must be between 1 and 10, if provided.")
	case ask.Visibility > maxVisibility*time.Second:
		return nil, invalidValue(int(ask.Visibility/time.Second), "VisibilityTimeout", "Must be between 0 and 43200, if provided.")
	case ask.Wait > maxWait:
		return nil, invalidValue(int(ask.Wait/time.Second), "WaitTimeSeconds", "Must be >= 0 and <= 20, if provided.")
	case ask.Attempt != "" && !q.FIFO():
		return nil, invalidValue(clip(ask.Attempt), "ReceiveRequestAttemptId", errNotType)
	case len(ask.Attempt) > maxGroup:
		return nil, invalidValue(clip(ask.Attempt), "ReceiveRequestAttemptId", "It has at most 128 characters.")
	}
	list, err := s.cfg.Messages.Receive(ctx, q.Messages, message.Ask{Max: ask.Most, Hide: ask.Visibility, Wait: ask.Wait, Attempt: ask.Attempt})
	if errors.Is(err, message.ErrInFlight) && (q.FIFO() || ask.Wait > 0) {
		return nil, rest(ctx, ask.Wait)
	}
	if err != nil {
		return nil, ofEngine(err)
	}
	received := make([]*Received, len(list))
	for i, m := range list {
		received[i] = &Received{Message: m}
		if err := record.Unmarshal(m.Body, &received[i].Content); err != nil {
			return nil, err
		}
	}
	return received, nil
}

// rest waits for d. Too many messages in flight are an error to who does not wait, of
// standard queues; else there is nothing to receive.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
func rest(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// systems are the system attributes of a message.
func (r *Received) systems() map[string]string {
	millis := func(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }
	m := map[string]string{
		"SenderId": r.Sender, "SentTimestamp": millis(r.Sent), "ApproximateReceiveCount": strconv.Itoa(r.Receives),
		"ApproximateFirstReceiveTimestamp": millis(r.First), "AWSTraceHeader": r.Trace, "DeadLetterQueueSourceArn": r.Source,
		"MessageGroupId": r.Content.Group,
	}
	if r.Message.Group != "" {
		m["MessageGroupId"], m["MessageDeduplicationId"], m["SequenceNumber"] = r.Message.Group, r.Dedup, number(r.Number)
	}
	for name, value := range m {
		if value == "" {
			delete(m, name)
		}
	}
	return m
}

// systemNames are the system attributes that can be asked for.
var systemNames = []string{
	"All", "SenderId", "SentTimestamp", "ApproximateReceiveCount", "ApproximateFirstReceiveTimestamp", "SequenceNumber",
	"MessageDeduplicationId", "MessageGroupId", "AWSTraceHeader", "DeadLetterQueueSourceArn", attrSSE,
}

// wantedSystems are those of a message that are asked for.
func (r *Received) wantedSystems(names []string) map[string]string {
	if len(names) == 0 {
		return nil
	}
	m := r.systems()
	if !slices.Contains(names, "All") {
		for name := range m {
			if !slices.Contains(names, name) {
				delete(m, name)
			}
		}
	}
	return m
}

// wanted are the attributes of a message that are asked for: by name, by what they
// begin with ("a.*"), or all (".*", "All").
func (r *Received) wanted(names []string) (list []Attribute) {
	for _, a := range r.Attributes {
		if slices.ContainsFunc(names, func(n string) bool {
			begin, open := strings.CutSuffix(n, ".*")
			return n == a.Name || n == "All" || open && strings.HasPrefix(a.Name, begin)
		}) {
			list = append(list, a)
		}
	}
	return list
}

// receipt reads a receipt handle of a queue.
func (q *Queue) receipt(handle string) (message.Receipt, error) {
	if handle == "" {
		return message.Receipt{}, missing("ReceiptHandle")
	}
	r, err := message.ParseReceipt(handle)
	if err != nil {
		return r, refuse("ReceiptHandleIsInvalid", "The input receipt handle is invalid.")
	}
	if r.Queue != q.Messages {
		return r, refuse("ReceiptHandleIsInvalid", "The input receipt handle %q is not valid for this queue.", clip(handle))
	}
	return r, nil
}

// DeleteMessages deletes messages by their receipt handles; an error for each that
// could not be.
func (s *Service) DeleteMessages(ctx context.Context, q *Queue, handles []string) ([]error, error) {
	errs := make([]error, len(handles))
	var good []message.Receipt
	for i, h := range handles {
		r, err := q.receipt(h)
		if errs[i] = err; err == nil {
			good = append(good, r)
		}
	}
	if len(good) == 0 {
		return errs, nil
	}
	answers, err := s.cfg.Messages.Delete(ctx, good...)
	if err != nil {
		return nil, err
	}
	for i, h := range handles {
		if errs[i] != nil {
			continue
		}
		if answers[0] == message.ErrExpired { // of FIFO queues alone
			errs[i] = invalidValue(clip(h), "ReceiptHandle", "The receipt handle has expired.")
		}
		answers = answers[1:]
	}
	return errs, nil
}

// Hide has a message be visible again in so much time from now.
func (s *Service) Hide(ctx context.Context, q *Queue, handle string, d time.Duration) error {
	r, err := q.receipt(handle)
	if err != nil {
		return err
	}
	if d < 0 || d > maxVisibility*time.Second {
		return invalidValue(int(d/time.Second), "VisibilityTimeout", "Must be between 0 and 43200, if provided.")
	}
	err = s.cfg.Messages.Hide(ctx, r, d)
	switch {
	case errors.Is(err, message.ErrExpired):
		return errNotFlying
	case errors.Is(err, message.ErrGone):
		return invalidValue(clip(handle), "ReceiptHandle", "Message does not exist or is not available for visibility timeout change.")
	case errors.Is(err, message.ErrTooLong):
		return invalidValue(int(d/time.Second), "VisibilityTimeout", "Total VisibilityTimeout for the message is beyond the limit [43200 seconds].")
	}
	return err
}
