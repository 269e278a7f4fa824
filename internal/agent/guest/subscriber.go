package guest

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"time"
)

const (
	deliverTimeout = 2 * time.Second
	deliverTries   = 3
)

// legacyKinds are the platform events of the Logs API.
var legacyKinds = []string{
	"platform.start", "platform.runtimeDone", "platform.report", "platform.extension",
	"platform.logsSubscription", "platform.logsDropped", "function", "extension",
}

// subscriber is where events go to.
type subscriber struct {
	name       string
	types      []string
	legacy     bool
	maxItems   int
	maxBytes   int
	timeout    time.Duration
	address    string
	path, host string // HTTP; a plain connection without

	mu      sync.Mutex
	batch   [][]byte
	size    int
	dropped int
	lost    int // bytes of those dropped
	first   chan struct{}
	full    chan struct{}
}

// put adds an event to the batch, or counts it as dropped when a slow subscriber
// has two batches waiting.
func (s *subscriber) put(e event) {
	if !slices.Contains(s.types, e.source) || s.legacy && !slices.Contains(legacyKinds, e.kind) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.batch) >= 2*s.maxItems || s.size+len(e.json) > 2*s.maxBytes {
		s.dropped++
		s.lost += len(e.json)
		return
	}
	s.batch = append(s.batch, e.json)
	s.size += len(e.json)
	if len(s.batch) == 1 {
		signal(s.first)
	}
	if len(s.batch) >= s.maxItems || s.size >= s.maxBytes {
		signal(s.full)
	}
}

// run delivers a batch when it is full or its first event is old enough.
func (s *subscriber) run(quit <-chan struct{}) {
	for {
		select {
		case <-s.first:
		case <-quit:
			return
		}
		t := time.NewTimer(s.timeout)
		select {
		case <-s.full:
		case <-t.C:
		case <-quit:
			t.Stop()
			return
		}
		t.Stop()
		if batch := s.take(); len(batch) > 0 && !s.deliver(batch, quit) {
			s.mu.Lock()
			s.dropped += len(batch)
			s.lost += size(batch)
			s.mu.Unlock()
		}
	}
}

// take takes the batch, with a word on what was dropped before it.
func (s *subscriber) take() [][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	batch := s.batch
	if s.dropped > 0 {
		batch = append(batch, fmt.Appendf(nil,
			`{"time":%q,"type":"platform.logsDropped","record":{"reason":"Consumer seems to have fallen behind as it has not acknowledged receipt of logs.","droppedRecords":%d,"droppedBytes":%d}}`,
			time.Now().UTC().Format("2006-01-02T15:04:05.000Z"), s.dropped, s.lost))
	}
	s.batch, s.size, s.dropped, s.lost = nil, 0, 0, 0
	return batch
}

// deliver sends a batch, in a few tries.
func (s *subscriber) deliver(batch [][]byte, quit <-chan struct{}) bool {
	for range deliverTries {
		if s.send(batch) == nil {
			return true
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-quit:
			return false
		}
	}
	return false
}

// send makes one connection for a batch: lines of JSON, or an HTTP POST of an
// array, which any answer of 200 acknowledges.
func (s *subscriber) send(batch [][]byte) error {
	c, err := net.DialTimeout("tcp", s.address, deliverTimeout)
	if err != nil {
		return fmt.Errorf("connect to subscriber: %w", err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(deliverTimeout)); err != nil {
		return fmt.Errorf("bound delivery: %w", err)
	}
	if s.path == "" {
		_, err = c.Write(append(bytes.Join(batch, []byte{'\n'}), '\n'))
		return err
	}
	n := size(batch) + len(batch) + 1
	b := fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n[", s.path, s.host, n)
	b = append(append(b, bytes.Join(batch, []byte{','})...), ']')
	if _, err := c.Write(b); err != nil {
		return fmt.Errorf("write events: %w", err)
	}
	var status [12]byte
	if _, err := io.ReadFull(c, status[:]); err != nil {
		return fmt.Errorf("read acknowledgement: %w", err)
	}
	if !bytes.HasPrefix(status[:], []byte("HTTP/1.")) || status[9] != '2' {
		return fmt.Errorf("subscriber answered %q", status)
	}
	return nil
}

func size(batch [][]byte) int {
	n := 0
	for _, b := range batch {
		n += len(b)
	}
	return n
}

// signal fills a channel of one place, if it is empty.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
