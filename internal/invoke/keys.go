package invoke

import (
	"fmt"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/store"
)

// Asynchronous events in the store. An event is in exactly one of due and
// claimed; its record and payload are there as long.
//
//	invoke  event    ID               -> event
//	invoke  payload  ID               -> the payload's bytes
//	invoke  due      NANOS  ID        -> function, as it was called: waits until then
//	invoke  claimed  INCARNATION  ID  -> function: being run by that node
//	invoke  node     INCARNATION      -> lease: until when its claims are good
//	invoke  outbox   NANOS  ID  N     -> delivery: to be handed over then
//	invoke  lost     ID  N            -> delivery that could not be handed over
//
// An incarnation is one run of one node. When a lease runs out, or a node comes
// back, what it had claimed is due again.
const room = "invoke"

func eventKey(id string) []byte   { return store.Key(room, "event", id) }
func payloadKey(id string) []byte { return store.Key(room, "payload", id) }

func duePrefix() []byte { return store.Key(room, "due") }
func dueKey(at time.Time, id string) []byte {
	return store.Key(room, "due", nanos(at), id)
}

func claimedPrefix(incarnation string) []byte  { return store.Key(room, "claimed", incarnation) }
func claimedKey(incarnation, id string) []byte { return store.Key(room, "claimed", incarnation, id) }
func nodePrefix() []byte                       { return store.Key(room, "node") }
func nodeKey(incarnation string) []byte        { return store.Key(room, "node", incarnation) }
func outboxPrefix() []byte                     { return store.Key(room, "outbox") }
func outboxKey(at time.Time, id string, n int) []byte {
	return store.Key(room, "outbox", nanos(at), id, n)
}
func lostKey(id string, n int) []byte { return store.Key(room, "lost", id, n) }

func nanos(t time.Time) uint64 { return uint64(max(0, t.UnixNano())) }

// timed splits a key of due or outbox.
func timed(key []byte) (at time.Time, id string, n uint64, err error) {
	parts, err := store.Split(key)
	if err != nil {
		return time.Time{}, "", 0, err
	}
	if len(parts) < 4 {
		return time.Time{}, "", 0, fmt.Errorf("split key: %d parts", len(parts))
	}
	t, ok1 := parts[2].(uint64)
	id, ok2 := parts[3].(string)
	if len(parts) == 5 {
		n, _ = parts[4].(uint64)
	}
	if !ok1 || !ok2 {
		return time.Time{}, "", 0, fmt.Errorf("split key: unexpected types")
	}
	return time.Unix(0, int64(t)), id, n, nil
}
