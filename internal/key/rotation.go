package key

import (
	"context"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/store"
)

// Rotation is when a key's material is replaced; Days is 0 for never.
type Rotation struct {
	Days     int
	Next     time.Time
	OnDemand int // how often it was done on demand
}

// Limits, as AWS has them.
const (
	usualRotation = 365
	minRotation   = 90
	maxRotation   = 2560
	maxOnDemand   = 25
)

// Rotated is one replacement of a key's material.
type Rotated struct {
	At         time.Time
	OnDemand   bool
	MaterialID string
}

// SetRotation has a key's material replaced every so many days; 0 ends that.
func (s *Service) SetRotation(ctx context.Context, ref string, days int) error {
	if days != 0 && (days < minRotation || days > maxRotation) {
		return violates(days, "rotationPeriodInDays", "Member must have value between 90 and 2560")
	}
	return s.change(ctx, ref, usable, func(_ store.Tx, k *Key) error {
		switch {
		case days == 0:
			k.Rotation.Days, k.Rotation.Next = 0, time.Time{}
		case days != k.Rotation.Days: // asked again, the next date stays
			k.Rotation.Days, k.Rotation.Next = days, s.now().AddDate(0, 0, days)
		}
		return nil
	})
}

// Rotate replaces a key's material now. A crash leaves the old one the newest, or
// the new one.
func (s *Service) Rotate(ctx context.Context, ref string) (*Key, error) {
	var rotated *Key
	err := s.change(ctx, ref, usable, func(tx store.Tx, k *Key) error {
		if k.Rotation.OnDemand >= maxOnDemand {
			return refuse("LimitExceededException", "%s was rotated on demand %d times, which is the most.", s.keyARN(k.ID), maxOnDemand)
		}
		k.Rotation.OnDemand++
		rotated = k
		return s.turn(tx, k, true)
	})
	return rotated, err
}

// turn adds a generation of material to k, which the caller saves.
func (s *Service) turn(tx store.Tx, k *Key, onDemand bool) error {
	k.Generation++
	m, err := s.makeMaterial(k.ID, k.Generation)
	if err != nil {
		return err
	}
	m.OnDemand = onDemand
	return save(tx, materialKey(k.ID, k.Generation), m)
}

// due says whether a key's material should be replaced before it encrypts again.
func (s *Service) due(k *Key) bool { return k.Rotation.Days > 0 && !s.now().Before(k.Rotation.Next) }

// turnIfDue does what automatic rotation asks for. Of several at once, one does.
func (s *Service) turnIfDue(ctx context.Context, keyID string) error {
	return s.cfg.Store.Update(ctx, func(tx store.Tx) error {
		k, err := s.byID(tx, keyID)
		if err != nil || !s.due(k) {
			return err
		}
		for s.due(k) { // an unused key's dates go by without material
			k.Rotation.Next = k.Rotation.Next.AddDate(0, 0, k.Rotation.Days)
		}
		if err := s.turn(tx, k, false); err != nil {
			return err
		}
		return save(tx, keyKey(k.ID), k)
	})
}

// Rotations lists how a key's material was replaced, oldest first.
func (s *Service) Rotations(ctx context.Context, ref string) (k *Key, list []Rotated, err error) {
	err = s.cfg.Store.View(ctx, func(r store.Reader) error {
		list = nil
		if k, err = s.findByID(r, ref); err != nil {
			return err
		}
		first := true
		for m, err := range scan[material](r, below("material", k.ID)) {
			if err != nil {
				return err
			}
			if !first {
				list = append(list, Rotated{m.Created, m.OnDemand, m.ID})
			}
			first = false
		}
		return nil
	})
	return k, list, err
}
