package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/mayfly-cloud/mayfly/internal/store/driver"
)

// A NOTIFY inside a transaction makes its commit wait in one line with all others
// of the server that notify, syncs included: no two of them would share a sync.
// So commits are told of right after, by a session of their own that gathers what
// is committed meanwhile and syncs nothing:
//
//	Update ── COMMIT ── ring ──▶ NOTIFY ──▶ hear ── watchers of other processes
//	                      └──▶ watchers of this process
//
// What a node does not get to say because it dies just then, or because the
// database goes away, is made good by looks: whoever listens asks every now and
// then whether anything was committed at all, and if so wakes all watchers; as
// does, more often, who can't listen because the database has no NOTIFY.
const (
	ringPause = 2 * time.Millisecond // between two notifications
	rePause   = time.Second          // before connecting again
	deafLook  = time.Second          // between looks where there is no NOTIFY
	sayTime   = 5 * time.Second
	lastWords = 2 * time.Second
)

// bell tells other processes of commits, and watchers here of theirs.
type bell struct {
	s       *Store
	cfg     *pgx.ConnConfig
	look    time.Duration
	channel string
	sender  string
	deaf    bool // the database has no NOTIFY

	mu      sync.Mutex
	touched touched
	wake    chan struct{}

	stop context.CancelFunc
	wg   sync.WaitGroup
}

// hang opens the store's bell. Notifications of stores in other schemas go to
// other channels.
func hang(ctx context.Context, s *Store, cfg *pgx.ConnConfig, look time.Duration) (*bell, error) {
	b := &bell{s: s, cfg: cfg.Copy(), look: look, sender: rand.Text()[:senderLen], wake: make(chan struct{}, 1)}
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	defer conn.Release()
	var schema string
	if err := conn.QueryRow(ctx, "SELECT coalesce(current_schema()::text, '')").Scan(&schema); err != nil {
		return nil, fmt.Errorf("ask for the schema: %w", err)
	}
	b.channel = "mayfly_" + schema[:min(len(schema), 50)]
	if _, err := conn.Exec(ctx, "SELECT pg_notify($1, '')", b.channel); err != nil {
		if _, answered := asServer(err); !answered {
			return nil, fmt.Errorf("notify: %w", err)
		}
		b.deaf = true
		s.log.Warn("the database has no notifications: what other nodes commit is noticed late", "after", deafLook, "reason", err)
	}
	ear, err := b.connect(ctx)
	if err != nil {
		return nil, err
	}
	ctx, b.stop = context.WithCancel(context.Background())
	b.wg.Go(func() { b.hear(ctx, ear) })
	if !b.deaf {
		b.wg.Go(func() { b.say(ctx) })
	}
	return b, nil
}

// close says what is left to be said, and ends.
func (b *bell) close() {
	b.stop()
	b.wg.Wait()
}

// ring has others told of a commit.
func (b *bell) ring(keys []string, spans []driver.Span) {
	if b.deaf {
		return
	}
	b.mu.Lock()
	b.touched.add(keys, spans)
	b.mu.Unlock()
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

func (b *bell) take() touched {
	b.mu.Lock()
	defer b.mu.Unlock()
	t := b.touched
	b.touched = nil
	return t
}

// putBack keeps what could not be said.
func (b *bell) putBack(t touched) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.touched.join(t)
}

// say sends notifications until ctx ends, and then a last one.
func (b *bell) say(ctx context.Context) {
	var conn *pgx.Conn
	defer func() { hangUp(conn) }()
	for ended := false; !ended; {
		select {
		case <-b.wake:
		case <-ctx.Done():
			ended = true
		}
		t := b.take()
		if len(t) == 0 {
			continue
		}
		limit := sayTime
		if ended {
			limit = lastWords
		}
		var err error
		if conn, err = b.send(conn, t, limit); err != nil && !ended {
			b.s.log.Warn("other nodes could not be told of commits; they will be", "err", err)
			b.putBack(t)
			select {
			case b.wake <- struct{}{}:
			default:
			}
			rest(ctx, rePause)
			continue
		}
		rest(ctx, ringPause)
	}
}

// send sends one notification, on conn or a new connection, and gives the one to
// use next.
func (b *bell) send(conn *pgx.Conn, t touched, limit time.Duration) (*pgx.Conn, error) {
	// Not under the store's life: half a message would be worth nothing.
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	if conn == nil || conn.IsClosed() {
		var err error
		if conn, err = pgx.ConnectConfig(ctx, b.cfg); err != nil {
			return nil, err
		}
		// It writes nothing, so there is nothing to sync.
		if _, err := conn.Exec(ctx, "SET synchronous_commit = off"); err != nil {
			return conn, err
		}
	}
	_, err := conn.Exec(ctx, "SELECT pg_notify($1, $2)", b.channel, t.encode(b.sender))
	return conn, err
}

// ear is a connection that listens, and what was committed when it last looked.
type ear struct {
	conn *pgx.Conn
	seen string
}

// connect begins to listen.
func (b *bell) connect(ctx context.Context) (*ear, error) {
	conn, err := pgx.ConnectConfig(ctx, b.cfg)
	if err != nil {
		return nil, fmt.Errorf("connect to listen: %w", err)
	}
	e := &ear{conn: conn}
	if !b.deaf {
		if _, err := conn.Exec(ctx, "LISTEN "+pgx.Identifier{b.channel}.Sanitize()); err != nil {
			hangUp(conn)
			return nil, fmt.Errorf("listen: %w", err)
		}
	}
	if _, err := e.look(ctx); err != nil {
		hangUp(conn)
		return nil, err
	}
	return e, nil
}

// hear passes on what others say until ctx ends, over as many connections as it
// takes. After each loss of one it wakes all watchers.
func (b *bell) hear(ctx context.Context, e *ear) {
	for ctx.Err() == nil {
		err := b.listen(ctx, e)
		hangUp(e.conn)
		for err != nil && ctx.Err() == nil {
			b.s.log.Warn("commits of other nodes can't be heard of now", "err", err)
			rest(ctx, rePause)
			var again *ear
			if again, err = b.connect(ctx); err == nil {
				e = again
				b.s.watchers.NotifyBelow("")
			}
		}
	}
}

// listen is hear on one connection.
func (b *bell) listen(ctx context.Context, e *ear) error {
	look := b.look
	if b.deaf {
		look = min(look, deafLook)
	}
	for {
		if err := b.listenFor(ctx, e.conn, look); err != nil {
			return err
		}
		changed, err := e.look(ctx)
		if err != nil {
			return err
		}
		if changed {
			b.s.watchers.NotifyBelow("")
		}
	}
}

// listenFor passes notifications on for a while.
func (b *bell) listenFor(ctx context.Context, conn *pgx.Conn, d time.Duration) error {
	bounded, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	for {
		if b.deaf {
			<-bounded.Done()
			return ctx.Err()
		}
		n, err := conn.WaitForNotification(bounded)
		if err != nil {
			if bounded.Err() != nil && ctx.Err() == nil && !conn.IsClosed() {
				return nil
			}
			return errors.Join(ctx.Err(), err)
		}
		b.pass(n.Payload)
	}
}

// pass signals watchers of what another process has changed.
func (b *bell) pass(message string) {
	if message == "" {
		return // a try
	}
	sender, t, err := decode(message)
	switch {
	case err != nil: // of a later version, or a stranger: it may mean anything
		b.s.watchers.NotifyBelow("")
	case sender != b.sender:
		for k, beginning := range t {
			if beginning {
				b.s.watchers.NotifyBelow(k)
			} else {
				b.s.watchers.Notify([]string{k}, nil)
			}
		}
	}
}

// look says whether anything may have been committed since the last look, by
// whomever. It also finds out if the server is there.
func (e *ear) look(ctx context.Context) (changed bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, sayTime)
	defer cancel()
	var now string
	err = e.conn.QueryRow(ctx, "SELECT txid_current_snapshot()::text").Scan(&now)
	if _, answered := asServer(err); answered {
		return true, nil // a database that can't say
	}
	if err != nil {
		return false, fmt.Errorf("look for commits: %w", err)
	}
	changed = now != e.seen
	e.seen = now
	return changed, nil
}

func hangUp(conn *pgx.Conn) {
	if conn == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), lastWords)
	defer cancel()
	conn.Close(ctx)
}

func rest(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
