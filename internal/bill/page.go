package bill

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/fault"
	listing "github.com/mayfly-cloud/mayfly/internal/page"
)

const (
	maxDays  = 400 // of one bill
	pageSize = 1000
)

// billPage is what ServeBill answers.
type billPage struct {
	From   string            `json:"from"`
	To     string            `json:"to"` // inclusive
	Lines  []Line            `json:"lines"`
	Total  Line              `json:"total"`
	Prices map[string]string `json:"prices"` // in dollars
}

// prices are those the bill uses, for who reads it.
var prices = map[string]string{
	"request":            "0.0000002",
	"gbSecond.x86_64":    "0.0000166667",
	"gbSecond.arm64":     "0.0000133334",
	"gbSecond.tmpBeyond": "0.0000000309",
}

// ServeBill answers GET /_mayfly/bill?from=2026-05-01&to=2026-05-31&by=day,function
// with a bill as JSON. The days are in UTC and inclusive; both are today if absent,
// and by is day,function.
func (m *Meter) ServeBill(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	today := m.cfg.Clock.Now().UTC()
	from, err1 := parseDay(q.Get("from"), today)
	to, err2 := parseDay(q.Get("to"), today)
	by, err3 := parseGroup(q.Get("by"))
	for _, err := range []error{err1, err2, err3} {
		if err != nil {
			m.fail(w, err)
			return
		}
	}
	if days := to.Sub(from).Hours() / 24; days < 0 || days >= maxDays {
		m.fail(w, badRequest("A bill is of 1 to %d days, and from is not after to.", maxDays))
		return
	}
	lines, err := m.Bill(r.Context(), from, to.AddDate(0, 0, 1), by)
	if err != nil {
		m.fail(w, err)
		return
	}
	if lines == nil {
		lines = []Line{}
	}
	m.answer(w, http.StatusOK, billPage{From: from.Format(time.DateOnly), To: to.Format(time.DateOnly), Lines: lines, Total: Total(lines), Prices: prices})
}

// ServeInvocations answers GET /_mayfly/bill/invocations?function=ARN&day=2026-05-04
// with what a line of the bill is made of, in pages that a token continues.
func (m *Meter) ServeInvocations(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	day, err := parseDay(q.Get("day"), m.cfg.Clock.Now().UTC())
	if err == nil && (q.Get("function") == "" || len(q.Get("function")) > 512) {
		err = badRequest("function must be a function's ARN.")
	}
	if err != nil {
		m.fail(w, err)
		return
	}
	list, next, err := m.Invocations(r.Context(), q.Get("function"), day, pageSize, q.Get("token"))
	if errors.Is(err, listing.ErrInvalid) {
		err = badRequest("%w", err)
	}
	if err != nil {
		m.fail(w, err)
		return
	}
	if list == nil {
		list = []Invocation{}
	}
	m.answer(w, http.StatusOK, map[string]any{"invocations": list, "token": next})
}

func parseDay(s string, today time.Time) (time.Time, error) {
	if s == "" {
		return today.Truncate(24 * time.Hour), nil
	}
	day, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return day, badRequest("%.40q is not a day: write it as 2026-05-04.", s)
	}
	return day, nil
}

func parseGroup(s string) (Group, error) {
	if s == "" {
		return Group{Day: true, Function: true}, nil
	}
	var by Group
	for name := range strings.SplitSeq(s, ",") {
		switch name {
		case "day":
			by.Day = true
		case "function":
			by.Function = true
		case "version":
			by.Version = true
		case "total":
		default:
			return by, badRequest("by is some of day, function and version, or total; it is not %.40q.", name)
		}
	}
	return by, nil
}

func badRequest(format string, args ...any) error {
	return fault.New(http.StatusBadRequest, "InvalidParameterException", format, args...)
}

// fail answers an error as the node's own pages do.
func (m *Meter) fail(w http.ResponseWriter, err error) {
	f := fault.As(err)
	if f.Status >= 500 {
		m.cfg.Log.Error("the bill could not be read", "err", err)
	}
	w.Header().Set("X-Amzn-Errortype", f.Code)
	m.answer(w, f.Status, map[string]string{"message": f.Message})
}

func (m *Meter) answer(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		m.cfg.Log.Error("the bill could not be encoded", "err", err)
		status, b = http.StatusInternalServerError, []byte("{}")
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	fmt.Fprintf(w, "%s\n", b) // who asked may be gone; nobody else cares
}
