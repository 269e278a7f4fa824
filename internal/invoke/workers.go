package invoke

// reserve takes a worker for a function; false when all are busy, or the
// function has its share: a quarter of them, so that a slow one delays no other.
func (q *queue) reserve(id, function string) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if _, again := q.ids[id]; again || !q.open || len(q.ids) >= q.i.cfg.Workers || q.running[function] >= max(1, q.i.cfg.Workers/4) {
		return false
	}
	q.running[function]++
	q.ids[id] = struct{}{}
	q.wg.Add(1)
	return true
}

// full says that all workers are busy.
func (q *queue) full() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.ids) >= q.i.cfg.Workers
}

func (q *queue) unreserveAll(list []candidate) {
	for _, c := range list {
		q.unreserve(c.id, c.function)
	}
}

func (q *queue) unreserve(id, function string) {
	q.mu.Lock()
	if q.running[function]--; q.running[function] == 0 {
		delete(q.running, function)
	}
	delete(q.ids, id)
	q.mu.Unlock()
	q.wg.Done()
	select {
	case q.freed <- struct{}{}:
	default:
	}
}

// runs says whether this node works on an event.
func (q *queue) runs(id string) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	_, ok := q.ids[id]
	return ok
}

// work runs an event in the background, on a worker that is reserved.
func (q *queue) work(e event, payload []byte) {
	go func() {
		defer q.unreserve(e.ID, e.Function)
		q.attempt(q.ctx, e, payload)
	}()
}
