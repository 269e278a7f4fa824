package tools_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/mayfly-cloud/mayfly/test/node"
)

func TestCommandLineReadsLogs(t *testing.T) {
	c := newCLI(t)
	c.node.CreateJS("talk", `exports.handler = async (event) => { console.log('said', event.word) }`)
	for _, word := range []string{`"red"`, `"green"`} {
		c.node.Invoke("talk", `{"word":`+word+`}`)
	}

	var groups []string
	node.Eventually(t, 30*time.Second, "both calls are in the log", func() bool {
		text, err := c.run("logs", "filter-log-events", "--log-group-name", "/aws/lambda/talk", "--filter-pattern", "said",
			"--query", "events[].message")
		return err == nil && strings.Contains(text, `said red`) && strings.Contains(text, `said green`) && !strings.Contains(text, "REPORT")
	})
	c.must(&groups, "logs", "describe-log-groups", "--log-group-name-prefix", "/aws/lambda/", "--query", "logGroups[].logGroupName")
	if diff := cmp.Diff([]string{"/aws/lambda/talk"}, groups); diff != "" {
		t.Errorf("groups (-want +got):\n%s", diff)
	}
	var streams []string
	c.must(&streams, "logs", "describe-log-streams", "--log-group-name", "/aws/lambda/talk", "--order-by", "LastEventTime",
		"--query", "logStreams[].logStreamName")
	if len(streams) != 1 || !strings.Contains(streams[0], "/[$LATEST]") {
		t.Errorf("streams %v, want one of one environment", streams)
	}
	var messages []string
	c.must(&messages, "logs", "get-log-events", "--log-group-name", "/aws/lambda/talk", "--log-stream-name", streams[0],
		"--start-from-head", "--query", "events[].message")
	if len(messages) < 6 || !strings.HasPrefix(messages[0], "INIT_START") && !strings.HasPrefix(messages[0], "START") {
		t.Errorf("the stream's events %q", messages)
	}

	text, err := c.run("logs", "tail", "/aws/lambda/talk", "--since", "5m", "--format", "short")
	if err != nil || strings.Count(text, "REPORT RequestId: ") != 2 || !strings.Contains(text, "said green") {
		t.Errorf("aws logs tail: %v\n%s", err, text)
	}

	c.must(nil, "logs", "delete-log-group", "--log-group-name", "/aws/lambda/talk")
	if text, err := c.run("logs", "describe-log-streams", "--log-group-name", "/aws/lambda/talk"); err == nil ||
		!strings.Contains(text, "(ResourceNotFoundException)") || !strings.Contains(text, "The specified log group does not exist.") {
		t.Errorf("the deleted group: %v\n%s", err, text)
	}
}
