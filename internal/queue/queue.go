package queue

import (
	"context"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/message"
	"github.com/mayfly-cloud/mayfly/internal/page"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

// Queue is a queue, without its messages.
type Queue struct {
	Name       string
	Messages   message.QueueID // what it is to the engine
	Created    time.Time
	Changed    time.Time
	Purged     time.Time
	Attributes map[string]string // those that were set, as they were
	Tags       map[string]string
}

// FIFO says whether it is a FIFO queue.
func (q *Queue) FIFO() bool { return strings.HasSuffix(q.Name, fifoSuffix) }

// How many messages may be in flight.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-queues.html
const (
	maxInFlight     = 120_000
	maxInFlightFIFO = 20_000
	purgePause      = time.Minute
)

// Create makes a queue, or gives the one there is if no attribute of it is another.
// A crash leaves the queue, with its place in the engine, or nothing.
func (s *Service) Create(ctx context.Context, name string, set, tags map[string]string) (*Queue, error) {
	fifo := set[attrFIFO] == "true"
	if err := checkName(name, fifo); err != nil {
		return nil, err
	}
	all, err := merge(nil, set, fifo)
	if err != nil {
		return nil, err
	}
	if tags, err = mergeTags(nil, tags); err != nil {
		return nil, err
	}
	if err := s.checkPolicy(name, set); err != nil {
		return nil, err
	}
	var q *Queue
	err = s.update(ctx, func(tx *message.Tx) error {
		there, err := load[Queue](tx, queueKey(name), errNotFound)
		if err == nil {
			q = there
			return there.same(set)
		}
		if err != errNotFound {
			return err
		}
		q = &Queue{Name: name, Created: s.now(), Changed: s.now(), Attributes: all, Tags: tags}
		settings, err := s.settings(tx, q, "")
		if err != nil {
			return err
		}
		if q.Messages, err = tx.Create(*settings); err != nil {
			return err
		}
		if err := save(tx, queueKey(name), q); err != nil {
			return err
		}
		return s.refeed(tx, name)
	})
	return q, err
}

// same refuses attributes that a queue has otherwise.
func (q *Queue) same(set map[string]string) error {
	names := make([]string, 0, len(set))
	for name := range set {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if q.value(name) != set[name] {
			return refuse("QueueNameExists", "A queue already exists with the same name and a different value for attribute %s", name)
		}
	}
	return nil
}

func (s *Service) checkPolicy(name string, set map[string]string) error {
	if document := set[attrPolicy]; document != "" {
		if err := s.cfg.Policies.Check([]byte(document), s.arn(name)); err != nil {
			return badAttribute(attrPolicy, err.Error())
		}
	}
	return nil
}

// update changes queues, and has them read anew.
func (s *Service) update(ctx context.Context, fn func(*message.Tx) error) error {
	err := s.cfg.Messages.Update(ctx, fn)
	s.known.Forget()
	return ofEngine(err)
}

// settings are what a queue's attributes mean to the engine. It keeps feeds as they
// say; before is the RedrivePolicy there was.
func (s *Service) settings(tx store.Tx, q *Queue, before string) (*message.Settings, error) {
	set := &message.Settings{
		FIFO: q.FIFO(), ByGroup: q.value(attrScope) == "messageGroup", Retention: q.seconds(attrRetention),
		MaxInFlight: maxInFlight, Source: s.arn(q.Name),
	}
	if q.FIFO() {
		set.MaxInFlight = maxInFlightFIFO
	}
	text := q.Attributes[attrRedrive]
	if before != "" && before != text {
		if err := s.unfeed(tx, q.Name, before); err != nil {
			return nil, err
		}
	}
	if text == "" {
		return set, nil
	}
	p, err := parseRedrive(text)
	if err != nil {
		return nil, err
	}
	name, _ := s.ownName(p.target)
	target, err := load[Queue](tx, queueKey(name), errNotFound)
	switch {
	case err == errNotFound && before == text: // it was deleted since
		return set, nil
	case err == errNotFound:
		return nil, invalidValue(text, attrRedrive, "Dead letter target does not exist.")
	case err != nil:
		return nil, err
	case target.FIFO() != q.FIFO():
		return nil, invalidValue(text, attrRedrive, "Dead-letter queue must be same type of queue as the source.")
	case before != text && !target.permits(s.arn(q.Name)):
		return nil, invalidValue(text, attrRedrive, "Dead-letter queue does not permit this queue to use it, by its RedriveAllowPolicy.")
	}
	set.DeadLetter, set.After = target.Messages, p.most
	return set, tx.Set(feedsKey(name, q.Name), nil)
}

func (s *Service) unfeed(tx store.Tx, source, policy string) error {
	p, err := parseRedrive(policy)
	if err != nil {
		return err
	}
	name, _ := s.ownName(p.target)
	return tx.Delete(feedsKey(name, source))
}

// refeed tells the engine of a queue that was made, where the policies of others name it
// already.
func (s *Service) refeed(tx *message.Tx, name string) error {
	for p, err := range tx.Scan(below("feeds", name)) {
		if err != nil {
			return err
		}
		source, err := lastName(p.Key)
		if err != nil {
			return err
		}
		q, err := load[Queue](tx, queueKey(source), errNotFound)
		if err == errNotFound {
			continue
		}
		if err != nil {
			return err
		}
		set, err := s.settings(tx, q, q.Attributes[attrRedrive])
		if err != nil {
			return err
		}
		if err := tx.Configure(q.Messages, *set); err != nil {
			return err
		}
	}
	return nil
}

// change alters a queue in one transaction, and tells the engine.
func (s *Service) change(ctx context.Context, address string, fn func(*message.Tx, *Queue) error) error {
	name, err := s.nameOf(address)
	if err != nil {
		return err
	}
	return s.update(ctx, func(tx *message.Tx) error {
		q, err := load[Queue](tx, queueKey(name), errNotFound)
		if err != nil {
			return err
		}
		before := q.Attributes[attrRedrive]
		if err := fn(tx, q); err != nil {
			return err
		}
		set, err := s.settings(tx, q, before)
		if err != nil {
			return err
		}
		if err := tx.Configure(q.Messages, *set); err != nil {
			return err
		}
		return save(tx, queueKey(name), q)
	})
}

// SetAttributes changes attributes of a queue; the others stay.
func (s *Service) SetAttributes(ctx context.Context, address string, set map[string]string) error {
	name, err := s.nameOf(address)
	if err != nil {
		return err
	}
	if err := s.checkPolicy(name, set); err != nil {
		return err
	}
	return s.change(ctx, address, func(_ *message.Tx, q *Queue) error {
		if v, ok := set[attrFIFO]; ok && (v == "true") != q.FIFO() {
			return refuse("InvalidAttributeName", "You can specify the FifoQueue only during queue creation.")
		}
		all, err := merge(q.Attributes, set, q.FIFO())
		q.Attributes, q.Changed = all, s.now()
		return err
	})
}

// Delete deletes a queue with its messages.
func (s *Service) Delete(ctx context.Context, address string) error {
	name, err := s.nameOf(address)
	if err != nil {
		return err
	}
	return s.update(ctx, func(tx *message.Tx) error {
		q, err := load[Queue](tx, queueKey(name), errNotFound)
		if err != nil {
			return err
		}
		if policy := q.Attributes[attrRedrive]; policy != "" {
			if err := s.unfeed(tx, name, policy); err != nil {
				return err
			}
		}
		tasks := below("task", name)
		if err := tx.DeleteRange(tasks.Start, tasks.End); err != nil {
			return err
		}
		if err := tx.Drop(q.Messages); err != nil {
			return err
		}
		return tx.Delete(queueKey(name))
	})
}

// Purge deletes all messages of a queue.
func (s *Service) Purge(ctx context.Context, address string) error {
	return s.change(ctx, address, func(tx *message.Tx, q *Queue) error {
		if s.now().Sub(q.Purged) < purgePause {
			return refuse("PurgeQueueInProgress", errPurgedTime, q.Name)
		}
		q.Purged = s.now()
		return tx.Purge(q.Messages)
	})
}

// maxListed is how many queues a listing gives.
const maxListed = 1000

// List gives the names of queues that begin with a prefix, and the token for more: it
// is given only if most, the number wanted, is not 0.
func (s *Service) List(ctx context.Context, prefix string, most int, token string) ([]string, string, error) {
	return s.list(ctx, listing{"ListQueues " + prefix, below("queue"), prefix}, most, token)
}

// Sources gives the names of the queues whose dead letters come into a queue.
func (s *Service) Sources(ctx context.Context, address string, most int, token string) ([]string, string, error) {
	q, err := s.ByURL(ctx, address)
	if err != nil {
		return nil, "", err
	}
	return s.list(ctx, listing{"ListDeadLetterSourceQueues " + q.Name, below("feeds", q.Name), ""}, most, token)
}

// listing is a range of keys whose last elements are listed, those with a prefix.
type listing struct {
	name   string
	within store.Range
	prefix string
}

func (s *Service) list(ctx context.Context, l listing, most int, token string) (names []string, next string, err error) {
	after, err := page.After(l.name, token)
	if err != nil {
		return nil, "", errNextToken
	}
	if token != "" && most == 0 {
		return nil, "", errNoMaximum
	}
	err = s.cfg.Store.View(ctx, func(r store.Reader) error {
		names, next = nil, ""
		for p, err := range r.Scan(l.within) {
			if err != nil {
				return err
			}
			name, err := lastName(p.Key)
			if err != nil {
				return err
			}
			if name <= after && after != "" || !strings.HasPrefix(name, l.prefix) {
				continue
			}
			if most > 0 && len(names) == most {
				next = page.Token(l.name, names[most-1])
				return nil
			}
			if len(names) == maxListed {
				return nil
			}
			names = append(names, name)
		}
		return nil
	})
	return names, next, err
}

// attributesOf gives those that are wanted; All is every one.
func (s *Service) attributesOf(ctx context.Context, q *Queue, wanted []string) (map[string]string, error) {
	all := slices.Contains(wanted, "All")
	got := map[string]string{}
	want := func(name, value string) {
		if value != "" && (all || slices.Contains(wanted, name)) {
			got[name] = value
		}
	}
	for name := range attributes {
		want(name, q.value(name))
	}
	if q.Attributes[attrKey] != "" && q.Attributes[attrKeyReuse] == "" {
		want(attrKeyReuse, "300")
	}
	want("QueueArn", s.arn(q.Name))
	want("CreatedTimestamp", strconv.FormatInt(q.Created.Unix(), 10))
	want("LastModifiedTimestamp", strconv.FormatInt(q.Changed.Unix(), 10))
	const visible, flight, delayed = "ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed"
	known := append([]string{"All", "QueueArn", "CreatedTimestamp", "LastModifiedTimestamp", visible, flight, delayed}, sortedNames()...)
	counted := all
	for _, w := range wanted {
		if !slices.Contains(known, w) {
			return nil, unknownAttribute(w)
		}
		counted = counted || strings.HasPrefix(w, visible)
	}
	if counted {
		c, err := s.cfg.Messages.Count(ctx, q.Messages)
		if err != nil {
			return nil, ofEngine(err)
		}
		want(visible, strconv.Itoa(c.Visible))
		want(flight, strconv.Itoa(c.InFlight))
		want(delayed, strconv.Itoa(c.Delayed))
	}
	return got, nil
}

func sortedNames() []string {
	names := make([]string, 0, len(attributes))
	for name := range attributes {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}
