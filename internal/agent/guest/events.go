package guest

import (
	"encoding/json"
	"math"
	"slices"
	"sync"
	"time"
)

// The backlog is what subscribers of the init phase get of the time before they
// subscribed. Beyond these it is forgotten.
const (
	maxBacklog      = 1000
	maxBacklogBytes = 1 << 20
)

// events makes the events of the Telemetry API and hands them to subscribers:
// https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html.
type events struct {
	tasks *sync.WaitGroup
	quit  chan struct{}

	mu      sync.Mutex
	closed  bool // no more subscriptions; no backlog is kept
	subs    []*subscriber
	backlog []event
	size    int
}

// event is one event, encoded.
type event struct {
	source string // "platform", "function" or "extension"
	kind   string
	json   []byte
}

func newEvents(tasks *sync.WaitGroup) *events {
	return &events{tasks: tasks, quit: make(chan struct{})}
}

// object is an event's record.
type object = map[string]any

// emit makes an event of a record, if anyone may want it.
func (es *events) emit(source, kind string, record any) {
	es.mu.Lock()
	defer es.mu.Unlock()
	if es.closed && len(es.subs) == 0 {
		return
	}
	b, err := json.Marshal(struct {
		Time   string `json:"time"`
		Type   string `json:"type"`
		Record any    `json:"record"`
	}{time.Now().UTC().Format("2006-01-02T15:04:05.000Z"), kind, record})
	if err != nil {
		return // records are strings and numbers
	}
	e := event{source, kind, b}
	if !es.closed && len(es.backlog) < maxBacklog && es.size+len(b) <= maxBacklogBytes {
		es.backlog = append(es.backlog, e)
		es.size += len(b)
	}
	for _, s := range es.subs {
		s.put(e)
	}
}

// subscribe adds or replaces the subscription of an extension; it is false when
// the time for it is over.
func (es *events) subscribe(s *subscriber) bool {
	es.mu.Lock()
	if es.closed {
		es.mu.Unlock()
		return false
	}
	state := "Subscribed"
	i := slices.IndexFunc(es.subs, func(o *subscriber) bool { return o.name == s.name })
	if i >= 0 {
		state = "Already subscribed"
	} else {
		es.subs = append(es.subs, s)
		for _, e := range es.backlog {
			s.put(e)
		}
		es.tasks.Go(func() { s.run(es.quit) })
	}
	es.mu.Unlock()
	kind := "platform.telemetrySubscription"
	if s.legacy {
		kind = "platform.logsSubscription"
	}
	es.emit("platform", kind, object{"name": s.name, "state": state, "types": s.types})
	return true
}

// shut ends the time to subscribe.
func (es *events) shut() {
	es.mu.Lock()
	defer es.mu.Unlock()
	es.closed, es.backlog = true, nil
}

// close ends the deliveries.
func (es *events) close() { close(es.quit) }

// line is a log line of the function or of an extension.
func (es *events) line(source, text string) { es.emit(source, source, text) }

func (es *events) initStarted(a *Agent) {
	es.emit("platform", "platform.initStart", object{
		"initializationType": a.initType(), "phase": "init",
		"functionName": a.init.FunctionName, "functionVersion": a.init.FunctionVersion,
	})
}

func (es *events) initDone(a *Agent, errorType string) {
	r := object{"initializationType": a.initType(), "phase": "init", "status": status(errorType)}
	if errorType != "" {
		r["errorType"] = errorType
	}
	es.emit("platform", "platform.initRuntimeDone", r)
	es.emit("platform", "platform.initReport", object{
		"initializationType": a.initType(), "phase": "init", "status": status(errorType),
		"metrics": object{"durationMs": ms(time.Since(a.begun))},
	})
	es.shut()
}

func (es *events) extension(a *Agent, e *extension, state string) {
	wants := []string{}
	if e.invoke {
		wants = append(wants, "INVOKE")
	}
	if e.shutdown {
		wants = append(wants, "SHUTDOWN")
	}
	es.emit("platform", "platform.extension", object{"name": e.name, "state": state, "events": wants})
}

func (es *events) started(a *Agent, c *call) {
	if len(a.exts) == 0 {
		return
	}
	es.emit("platform", "platform.start", withTrace(c, object{"requestId": c.id, "version": a.init.FunctionVersion}))
}

func (es *events) done(a *Agent, c *call, errorType string) {
	if len(a.exts) == 0 {
		return
	}
	c.failed = errorType
	c.took = time.Since(c.begun)
	r := object{"requestId": c.id, "status": status(errorType), "metrics": object{
		"durationMs": ms(c.took), "producedBytes": c.bytes,
	}}
	if errorType != "" {
		r["errorType"] = errorType
	}
	es.emit("platform", "platform.runtimeDone", withTrace(c, r))
}

// report is what is known of a call inside; the memory it took is not.
func (es *events) report(a *Agent, c *call) {
	r := object{"requestId": c.id, "status": status(c.failed), "metrics": object{
		"durationMs": ms(c.took), "billedDurationMs": int64(math.Ceil(ms(c.took))), "memorySizeMB": a.init.MemoryMiB,
	}}
	if c.failed != "" {
		r["errorType"] = c.failed
	}
	es.emit("platform", "platform.report", withTrace(c, r))
}

func withTrace(c *call, r object) object {
	if c.meta.TraceID != "" {
		r["tracing"] = object{"type": "X-Amzn-Trace-Id", "value": c.meta.TraceID}
	}
	return r
}

// status is AWS's word for how something ended.
func status(errorType string) string {
	switch errorType {
	case "":
		return "success"
	case "Runtime.ExitError", "Extension.Crash":
		return "failure"
	}
	return "error"
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// initType is why the environment was started, as Lambda names it.
func (a *Agent) initType() string {
	if t := a.init.Env["AWS_LAMBDA_INITIALIZATION_TYPE"]; t != "" {
		return t
	}
	return "on-demand"
}
