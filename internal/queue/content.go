package queue

import (
	"crypto/md5"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/mayfly-cloud/mayfly/internal/message"
	"github.com/mayfly-cloud/mayfly/internal/record"
)

// Attribute is one of a message's own attributes.
type Attribute struct {
	Name, Type string // "String", "Number", "Binary", each perhaps with ".label"
	Text       string
	Binary     []byte
}

// Content is what a message is made of, as it stands in the store.
type Content struct {
	Text       string
	Attributes []Attribute // by their names
	Trace      string      // AWSTraceHeader
	Sender     string      // the sender's unique id
	Group      string      // of standard queues: it says who is served fairly, and orders nothing
	MD5        string
}

// Draft is a message to be sent.
type Draft struct {
	Content
	// Delay is how long it is hidden; below zero is as the queue has it.
	Delay time.Duration
	// Group and Dedup are MessageGroupId and MessageDeduplicationId.
	Group, Dedup string
}

// Limits of messages.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
const (
	maxMessage       = 1 << 20
	maxAttributes    = 10
	maxAttributeName = 256
	maxGroup         = 128
	maxDelay         = 900
)

// size is what counts against the size of messages.
func (c *Content) size() int {
	n := len(c.Text)
	for _, a := range c.Attributes {
		n += len(a.Name) + len(a.Type) + len(a.Text) + len(a.Binary)
	}
	return n
}

// check checks a message that is to be sent to a queue.
func (d *Draft) check(q *Queue) error {
	if d.Text == "" {
		return missing("MessageBody")
	}
	if bad := strings.IndexFunc(d.Text, notInText); bad >= 0 || !utf8.ValidString(d.Text) {
		return refuse("InvalidMessageContents", "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF")
	}
	if len(d.Attributes) > maxAttributes {
		return invalid("Number of message attributes [%d] exceeds the allowed maximum [%d].", len(d.Attributes), maxAttributes)
	}
	slices.SortFunc(d.Attributes, func(a, b Attribute) int { return strings.Compare(a.Name, b.Name) })
	for i := range d.Attributes {
		if err := d.Attributes[i].check(); err != nil {
			return err
		}
	}
	if most := q.number(attrMaxSize); d.size() > most {
		return invalid("One or more parameters are invalid. Reason: Message must be shorter than %d bytes.", most)
	}
	if d.Delay >= 0 && d.Delay > maxDelay*time.Second {
		return invalidValue(int(d.Delay/time.Second), "DelaySeconds", "DelaySeconds must be >= 0 and <= 900.")
	}
	return d.checkOrder(q)
}

func notInText(c rune) bool {
	return c < 0x20 && c != 9 && c != 10 && c != 13 || c == 0xfffe || c == 0xffff
}

// checkOrder checks what differs between standard and FIFO queues.
func (d *Draft) checkOrder(q *Queue) error {
	for _, p := range []struct{ name, value string }{{"MessageGroupId", d.Group}, {"MessageDeduplicationId", d.Dedup}} {
		if len(p.value) > maxGroup || strings.ContainsFunc(p.value, func(c rune) bool { return c <= ' ' || c > '~' }) {
			return invalidValue(clip(p.value), p.name, p.name+" can only include alphanumeric and punctuation characters. 1 to 128 in length.")
		}
	}
	if !q.FIFO() {
		if d.Dedup != "" {
			return invalidValue(d.Dedup, "MessageDeduplicationId", errNotType)
		}
		return nil
	}
	switch {
	case d.Group == "":
		return missing("MessageGroupId")
	case d.Delay > 0:
		return invalidValue(int(d.Delay/time.Second), "DelaySeconds", errNotType)
	case d.Dedup == "" && q.value(attrByContent) != "true":
		return errNoDedup
	}
	return nil
}

// check checks an attribute.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html
func (a *Attribute) check() error {
	lower := strings.ToLower(a.Name)
	kind, _, _ := strings.Cut(a.Type, ".")
	switch {
	case a.Name == "" || len(a.Name) > maxAttributeName || strings.ContainsFunc(a.Name, func(c rune) bool { return notInName(c) && c != '.' }),
		strings.HasPrefix(a.Name, ".") || strings.HasSuffix(a.Name, ".") || strings.Contains(a.Name, ".."),
		strings.HasPrefix(lower, "aws.") || strings.HasPrefix(lower, "amazon."):
		return invalid("Message attribute name '%s' is invalid.", clip(a.Name))
	case a.Type == "":
		return invalid("The message attribute '%s' must contain non-empty message attribute type.", a.Name)
	case kind != "String" && kind != "Number" && kind != "Binary" || len(a.Type) > maxAttributeName:
		return invalid("The message attribute '%s' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String.", a.Name)
	case kind == "Binary" && (len(a.Binary) == 0 || a.Text != ""), kind != "Binary" && (a.Text == "" || a.Binary != nil):
		return invalid("The message attribute '%s' must contain non-empty message attribute value for message attribute type '%s'.", a.Name, kind)
	case kind == "Number" && !isNumber(a.Text):
		return invalid("Can't cast the value of message (user) attribute '%s' to a number.", a.Name)
	case strings.ContainsFunc(a.Text, notInText) || !utf8.ValidString(a.Text):
		return invalid("The message attribute '%s' has invalid characters in its value.", a.Name)
	}
	return nil
}

// isNumber says whether a text is a decimal number.
func isNumber(s string) bool {
	var f float64
	n, err := fmt.Sscanf(s, "%g", &f)
	return err == nil && n == 1 && strings.Trim(s, "+-.eE0123456789") == ""
}

// draft is the message for the engine.
func (d *Draft) draft(q *Queue) (message.Draft, error) {
	d.MD5 = sum(d.Text)
	m := message.Draft{Delay: d.Delay, Group: d.Group, Dedup: d.Dedup}
	if d.Delay < 0 {
		m.Delay = q.seconds(attrDelay)
	}
	if !q.FIFO() {
		d.Content.Group, m.Group = d.Group, ""
	} else {
		if m.Delay = q.seconds(attrDelay); m.Dedup == "" {
			h := sha256.Sum256([]byte(d.Text))
			m.Dedup = hex.EncodeToString(h[:])
		}
	}
	var err error
	m.Body, err = record.Marshal(&d.Content)
	return m, err
}

func sum(text string) string {
	h := md5.Sum([]byte(text)) //nolint:gosec // what SQS's clients check
	return hex.EncodeToString(h[:])
}

// sumOf is the MD5 of attributes, which are in the order of their names; "" for none.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html#sqs-attributes-md5-message-digest-calculation
func sumOf(list []Attribute) string {
	if len(list) == 0 {
		return ""
	}
	h := md5.New() //nolint:gosec // what SQS's clients check
	part := func(b []byte) {
		h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(b))))
		h.Write(b)
	}
	for _, a := range list {
		part([]byte(a.Name))
		part([]byte(a.Type))
		if strings.HasPrefix(a.Type, "Binary") {
			h.Write([]byte{2})
			part(a.Binary)
		} else {
			h.Write([]byte{1})
			part([]byte(a.Text))
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

// sumOfTrace is the MD5 of the one system attribute there is.
func sumOfTrace(trace string) string {
	if trace == "" {
		return ""
	}
	return sumOf([]Attribute{{Name: "AWSTraceHeader", Type: "String", Text: trace}})
}
