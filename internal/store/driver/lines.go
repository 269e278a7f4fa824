package driver

import (
	"context"
	"hash/maphash"
)

// lines is how many there are; keys share them.
const lines = 64

// Lines hold back transactions that keep colliding on the same key: one of them
// at a time runs again, the others wait in line.
type Lines struct {
	seed maphash.Seed
	all  [lines]chan struct{}
}

// NewLines makes empty lines.
func NewLines() *Lines {
	l := &Lines{seed: maphash.MakeSeed()}
	for i := range l.all {
		l.all[i] = make(chan struct{}, 1)
	}
	return l
}

// Place is where one transaction stands. Its zero value is nowhere.
type Place struct{ held chan struct{} }

func (l *Lines) of(key string) chan struct{} { return l.all[maphash.String(l.seed, key)%lines] }

// Busy says whether it is another's turn in the line of a key. Who then goes on
// beside it would make it collide once more.
func (l *Lines) Busy(p *Place, key string) bool {
	line := l.of(key)
	return line != p.held && len(line) > 0
}

// Join waits until it is p's turn in the line of a key, and leaves any other.
func (l *Lines) Join(ctx context.Context, p *Place, key string) error {
	want := l.of(key)
	if want == p.held {
		return nil
	}
	p.Leave()
	select {
	case want <- struct{}{}:
		p.held = want
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Leave gives the turn to the next in line. Leaving again does nothing.
func (p *Place) Leave() {
	if p.held != nil {
		<-p.held
		p.held = nil
	}
}
