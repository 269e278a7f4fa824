package queue

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/arn"
)

// The attributes of a queue that are set, by their names.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
const (
	attrDelay      = "DelaySeconds"
	attrMaxSize    = "MaximumMessageSize"
	attrRetention  = "MessageRetentionPeriod"
	attrPolicy     = "Policy"
	attrWait       = "ReceiveMessageWaitTimeSeconds"
	attrVisibility = "VisibilityTimeout"
	attrRedrive    = "RedrivePolicy"
	attrAllow      = "RedriveAllowPolicy"
	attrKey        = "KmsMasterKeyId"
	attrKeyReuse   = "KmsDataKeyReusePeriodSeconds"
	attrSSE        = "SqsManagedSseEnabled"
	attrFIFO       = "FifoQueue"
	attrByContent  = "ContentBasedDeduplication"
	attrScope      = "DeduplicationScope"
	attrThroughput = "FifoThroughputLimit"
)

// attribute is what one may be set to. Those with values have one of them, those with
// a most are numbers.
type attribute struct {
	least, most int
	values      []string
	usual       string // "" is not told when it was not set
	fifo        bool   // of FIFO queues alone
	clears      bool   // the empty text takes it away
}

// attributes are all that can be set.
var attributes = map[string]attribute{
	attrDelay:      {most: 900, usual: "0"},
	attrMaxSize:    {least: 1024, most: maxMessage, usual: strconv.Itoa(maxMessage)},
	attrRetention:  {least: 60, most: 1209600, usual: "345600"},
	attrWait:       {most: 20, usual: "0"},
	attrVisibility: {most: maxVisibility, usual: "30"},
	attrKeyReuse:   {least: 60, most: 86400},
	attrSSE:        {values: []string{"true", "false"}, usual: "true"},
	attrFIFO:       {values: []string{"true", "false"}, fifo: true},
	attrByContent:  {values: []string{"true", "false"}, usual: "false", fifo: true},
	attrScope:      {values: []string{"queue", "messageGroup"}, usual: "queue", fifo: true},
	attrThroughput: {values: []string{"perQueue", "perMessageGroupId"}, usual: "perQueue", fifo: true},
	attrPolicy:     {clears: true},
	attrRedrive:    {clears: true},
	attrAllow:      {clears: true},
	attrKey:        {clears: true},
}

const maxVisibility = 43200

// checkAttribute checks one attribute by itself.
func checkAttribute(name, value string, fifo bool) error {
	a, ok := attributes[name]
	if !ok || a.fifo && !fifo {
		return unknownAttribute(name)
	}
	switch {
	case a.values != nil:
		if !slices.Contains(a.values, value) || name == attrFIFO && value != "true" {
			return badAttribute(name, "")
		}
	case a.most > 0:
		n, err := strconv.Atoi(value)
		if err != nil || n < a.least || n > a.most {
			return badAttribute(name, "")
		}
	case value == "":
	case name == attrRedrive:
		_, err := parseRedrive(value)
		return err
	case name == attrAllow:
		_, err := parseAllow(value)
		return err
	}
	return nil
}

// merge sets attributes over those there are, and checks what they come to.
func merge(have, set map[string]string, fifo bool) (map[string]string, error) {
	all := map[string]string{}
	for k, v := range have {
		all[k] = v
	}
	for k, v := range set {
		if err := checkAttribute(k, v, fifo); err != nil {
			return nil, err
		}
		all[k] = v
		if v == "" {
			delete(all, k)
		}
	}
	if all[attrThroughput] == "perMessageGroupId" && all[attrScope] != "messageGroup" {
		return nil, badAttribute(attrThroughput, "perMessageGroupId is allowed only when DeduplicationScope is messageGroup.")
	}
	if set[attrKey] != "" {
		if set[attrSSE] == "true" {
			return nil, badAttribute(attrSSE, "You can use one type of server-side encryption (SSE) at one time. You can either enable KMS SSE or SQS SSE.")
		}
		all[attrSSE] = "false"
	} else if set[attrSSE] == "true" {
		delete(all, attrKey)
	}
	return all, nil
}

// redrive is a RedrivePolicy.
type redrive struct {
	target string // ARN
	most   int
}

func parseRedrive(text string) (redrive, error) {
	var p struct {
		Target string `json:"deadLetterTargetArn"`
		Most   any    `json:"maxReceiveCount"`
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&p); err != nil {
		return redrive{}, invalidValue(clip(text), attrRedrive, "Redrive policy is not a valid JSON map.")
	}
	if p.Target == "" {
		return redrive{}, invalidValue(clip(text), attrRedrive, "Redrive policy does not contain mandatory attribute: deadLetterTargetArn.")
	}
	count := "10" // https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
	switch v := p.Most.(type) {
	case nil:
	case string:
		count = v
	case json.Number:
		count = v.String()
	default:
		count = ""
	}
	n, err := strconv.Atoi(count)
	if err != nil || n < 1 || n > 1000 {
		return redrive{}, invalidValue(clip(text), attrRedrive, "Invalid value for maxReceiveCount: "+clip(count)+", valid values are from 1 to 1000 both inclusive.")
	}
	if _, err := arn.Parse(p.Target); err != nil {
		return redrive{}, invalidValue(clip(text), attrRedrive, "Invalid value for deadLetterTargetArn.")
	}
	return redrive{p.Target, n}, nil
}

// allow is a RedriveAllowPolicy.
type allow struct {
	Permission string   `json:"redrivePermission"`
	Sources    []string `json:"sourceQueueArns"`
}

func parseAllow(text string) (allow, error) {
	var p allow
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		return p, badAttribute(attrAllow, "It is not a valid JSON map.")
	}
	by := p.Permission == "byQueue"
	switch {
	case !by && p.Permission != "allowAll" && p.Permission != "denyAll":
		return p, badAttribute(attrAllow, "redrivePermission is allowAll, denyAll or byQueue.")
	case by != (len(p.Sources) > 0), len(p.Sources) > 10:
		return p, badAttribute(attrAllow, "sourceQueueArns are one to ten, with byQueue alone.")
	}
	return p, nil
}

// permits says whether a queue may be the dead-letter queue of another.
func (q *Queue) permits(sourceARN string) bool {
	text := q.Attributes[attrAllow]
	if text == "" {
		return true
	}
	p, err := parseAllow(text)
	return err == nil && (p.Permission == "allowAll" || p.Permission == "byQueue" && slices.Contains(p.Sources, sourceARN))
}

// value is an attribute as it counts: as set, or as it usually is.
func (q *Queue) value(name string) string {
	if v, ok := q.Attributes[name]; ok {
		return v
	}
	if a := attributes[name]; !a.fifo || q.FIFO() {
		return a.usual
	}
	return ""
}

func (q *Queue) number(name string) int {
	n, _ := strconv.Atoi(q.value(name))
	return n
}

func (q *Queue) seconds(name string) time.Duration {
	return time.Duration(q.number(name)) * time.Second
}
