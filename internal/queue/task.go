package queue

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/id"
	"github.com/mayfly-cloud/mayfly/internal/message"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

// Task is a move of messages out of a dead-letter queue.
type Task struct {
	ID, Queue string
	Target    string // ARN; "" is where each message came from
	Rate      int    // messages a second; 0 is as many as can be
	Started   time.Time
	Status    string // RUNNING, COMPLETED, CANCELLED, FAILED
	Moved     int
	ToMove    int
	Failure   string
	// Node works on it until Until, unless it says so again.
	Node  string
	Until time.Time
}

const (
	running, completed, cancelled, failed = "RUNNING", "COMPLETED", "CANCELLED", "FAILED"

	maxRate      = 500
	maxTasks     = 10 // listed
	taskBatch    = 50
	taskLease    = 30 * time.Second
	taskLook     = 10 * time.Second
	taskInterval = 100 * time.Millisecond
)

// handle names a task.
func (s *Service) handle(t *Task) string {
	b, _ := json.Marshal(map[string]string{"taskId": t.ID, "sourceArn": s.arn(t.Queue)})
	return base64.StdEncoding.EncodeToString(b)
}

// taskHandle is what is in a handle.
type taskHandle struct{ TaskID, SourceARN string }

func parseHandle(handle string) (h taskHandle, err error) {
	b, err := base64.StdEncoding.DecodeString(handle)
	if err == nil {
		err = json.Unmarshal(b, &h)
	}
	return h, err
}

func (t *Task) key() []byte { return taskKey(t.Queue, uint64(t.Started.UnixNano())) }

// StartMove begins a task. Run works on it.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html
func (s *Service) StartMove(ctx context.Context, source, target string, rate *int32) (handle string, err error) {
	q, err := s.ByARN(ctx, source)
	if err == errNotFound {
		return "", errNoSource
	}
	if err != nil {
		return "", err
	}
	t := &Task{ID: id.UUID(), Queue: q.Name, Target: target, Started: s.now(), Status: running}
	if rate != nil {
		if t.Rate = int(*rate); t.Rate < 1 || t.Rate > maxRate {
			return "", invalidValue(*rate, "MaxNumberOfMessagesPerSecond", "Must be between 1 and 500.")
		}
	}
	if target != "" {
		to, err := s.ByARN(ctx, target)
		if err == errNotFound {
			return "", refuse("ResourceNotFoundException", "The resource that you specified for the DestinationArn parameter doesn't exist.")
		}
		if err != nil {
			return "", err
		}
		if to.FIFO() != q.FIFO() || to.Name == q.Name {
			return "", invalidValue(target, "DestinationArn", "The destination is another queue of the same type.")
		}
	}
	c, err := s.Counts(ctx, q)
	if err != nil {
		return "", err
	}
	t.ToMove = c.Visible + c.InFlight + c.Delayed
	err = s.cfg.Store.Update(ctx, func(tx store.Tx) error {
		dead := false
		for _, err := range tx.Scan(below("feeds", q.Name)) {
			if err != nil {
				return err
			}
			dead = true
		}
		if !dead {
			return errNotDead
		}
		for other, err := range scan[Task](tx, below("task", q.Name)) {
			if err != nil {
				return err
			}
			if other.Status == running {
				return errTaskRuns
			}
		}
		return save(tx, t.key(), t)
	})
	return s.handle(t), err
}

// CancelMove ends a task, and says how many messages it has moved. These stay moved.
func (s *Service) CancelMove(ctx context.Context, handle string) (moved int, err error) {
	h, err := parseHandle(handle)
	name, ok := s.ownName(h.SourceARN)
	if err != nil || !ok {
		return 0, invalidValue(clip(handle), "TaskHandle", "It is not one of a task.")
	}
	err = s.cfg.Store.Update(ctx, func(tx store.Tx) error {
		for t, err := range scan[Task](tx, below("task", name)) {
			if err != nil {
				return err
			}
			if t.ID != h.TaskID || t.Status != running {
				continue
			}
			t.Status, moved = cancelled, t.Moved
			return save(tx, t.key(), t)
		}
		return errNoTask
	})
	return moved, err
}

// Moves lists the tasks of a queue, newest first.
func (s *Service) Moves(ctx context.Context, source string, most *int32) (list []*Task, err error) {
	n := 1
	if most != nil {
		if n = int(*most); n < 1 || n > maxTasks {
			return nil, invalidValue(*most, "MaxResults", "Must be between 1 and 10.")
		}
	}
	q, err := s.ByARN(ctx, source)
	if err == errNotFound {
		return nil, errNoSource
	}
	if err != nil {
		return nil, err
	}
	within := below("task", q.Name)
	within.Reverse, within.Limit = true, n
	err = s.cfg.Store.View(ctx, func(r store.Reader) error {
		list = nil
		for t, err := range scan[Task](r, within) {
			if err != nil {
				return err
			}
			list = append(list, t)
		}
		return nil
	})
	return list, err
}

// Run moves the messages of tasks, until ctx ends; then it returns nil. A task that a
// crash leaves is gone on with half a minute later, by any node: what was moved is
// moved, only its count may be short.
func (s *Service) Run(ctx context.Context) error {
	node := id.UUID()
	changed, stop := s.cfg.Store.Watch(store.Key(room, "task"))
	defer stop()
	for ctx.Err() == nil {
		wait := taskLook
		tasks, err := s.runnable(ctx)
		for _, t := range tasks {
			if err == nil {
				err = s.step(ctx, t, node)
			}
			wait = taskInterval
		}
		if err != nil && ctx.Err() == nil {
			if errors.Is(err, store.ErrClosed) {
				return err
			}
			s.cfg.Log.WarnContext(ctx, "move messages", "error", err)
			wait = taskLook
		}
		timer := time.NewTimer(wait)
		if wait == taskInterval {
			select { // its own changes are no reason to hurry
			case <-ctx.Done():
			case <-timer.C:
			}
		} else {
			select {
			case <-ctx.Done():
			case <-changed:
			case <-timer.C:
			}
		}
		timer.Stop()
	}
	return nil
}

// runnable lists the tasks that run.
func (s *Service) runnable(ctx context.Context) (list []*Task, err error) {
	err = s.cfg.Store.View(ctx, func(r store.Reader) error {
		list = nil
		for t, err := range scan[Task](r, below("task")) {
			if err != nil {
				return err
			}
			if t.Status == running {
				list = append(list, t)
			}
		}
		return nil
	})
	return list, err
}

// step moves some messages of a task, as many as its rate allows in an interval.
func (s *Service) step(ctx context.Context, t *Task, node string) error {
	mine, err := s.lease(ctx, t, node)
	if err != nil || !mine {
		return err
	}
	most := taskBatch
	if t.Rate > 0 {
		if most = t.due(s.now()); most == 0 {
			return nil
		}
	}
	q, err := s.byName(ctx, t.Queue)
	if err != nil {
		return fmt.Errorf("task %s: %w", t.ID, err)
	}
	for ctx.Err() == nil {
		lost := ""
		n, err := s.cfg.Messages.Move(ctx, q.Messages, most, func(m *message.Message) (message.QueueID, bool) {
			to, err := s.target(ctx, t, m)
			if err != nil {
				lost = reason(err)
			}
			return to, err == nil
		})
		if err != nil {
			return err
		}
		more, err := s.moved(ctx, t, n, lost)
		if err != nil || !more || t.Rate > 0 {
			return err
		}
	}
	return nil
}

// due is how many messages a task with a rate may have moved by now beyond what it has.
func (t *Task) due(now time.Time) int {
	allowed := int(now.Sub(t.Started).Seconds()*float64(t.Rate)) + 1
	return min(max(0, allowed-t.Moved), taskBatch)
}

func reason(err error) string {
	if err == errNotFound {
		return "AWS.SimpleQueueService.NonExistentQueue"
	}
	return "CouldNotDetermineMessageSource"
}

var errNoSourceOf = errors.New("the message came from no queue")

// target is the queue a message goes to.
func (s *Service) target(ctx context.Context, t *Task, m *message.Message) (message.QueueID, error) {
	to := t.Target
	if to == "" {
		to = m.Source
	}
	if to == "" {
		return 0, errNoSourceOf
	}
	q, err := s.ByARN(ctx, to)
	if err != nil {
		return 0, err
	}
	return q.Messages, nil
}

// lease has this node work on a task for a while, unless another does.
func (s *Service) lease(ctx context.Context, t *Task, node string) (mine bool, err error) {
	if t.Node == node && t.Until.Sub(s.now()) > taskLease/2 {
		return true, nil
	}
	err = s.cfg.Store.Update(ctx, func(tx store.Tx) error {
		mine = false
		now, err := load[Task](tx, t.key(), errNoTask)
		if err == errNoTask || err == nil && (now.Status != running || now.Node != node && s.now().Before(now.Until)) {
			return nil
		}
		if err != nil {
			return err
		}
		mine, *t = true, *now
		t.Node, t.Until = node, s.now().Add(taskLease)
		return save(tx, t.key(), t)
	})
	return mine, err
}

// moved notes what was moved, and whether that was all.
func (s *Service) moved(ctx context.Context, t *Task, n int, lost string) (more bool, err error) {
	err = s.cfg.Store.Update(ctx, func(tx store.Tx) error {
		now, err := load[Task](tx, t.key(), errNoTask)
		if err == errNoTask || err == nil && now.Status != running {
			more = false
			return nil
		}
		if err != nil {
			return err
		}
		now.Moved += n
		switch more = n > 0; {
		case more:
		case lost != "":
			now.Status, now.Failure = failed, lost
		default:
			now.Status = completed
		}
		*t = *now
		return save(tx, t.key(), now)
	})
	return more, err
}
