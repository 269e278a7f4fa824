package secret

import (
	"context"
	"errors"
	"slices"

	"github.com/mayfly-cloud/mayfly/internal/store"
)

// The staging labels with a meaning.
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/whats-in-a-secret.html#term_version
const (
	Current  = "AWSCURRENT"
	Previous = "AWSPREVIOUS"
	Pending  = "AWSPENDING"
)

// maxStages is how many labels a version may have.
const maxStages = 20

// stagesOf lists the labels of a version in order.
func (sec *Secret) stagesOf(version string) []string {
	var list []string
	for stage, at := range sec.Stages {
		if at == version {
			list = append(list, stage)
		}
	}
	slices.Sort(list)
	return list
}

// attach moves a label to a version. AWSPREVIOUS follows AWSCURRENT.
func (sec *Secret) attach(stage, version string) {
	if before := sec.Stages[Current]; stage == Current && before != "" && before != version {
		sec.Stages[Previous] = before
	}
	sec.Stages[stage] = version
}

func checkStages(stages []string) error {
	if len(stages) > maxStages {
		return violates(len(stages), "versionStages", "Member must have length less than or equal to 20")
	}
	for _, st := range stages {
		if st == "" || len(st) > 256 {
			return violates(clip(st), "versionStages", "Member must have length between 1 and 256")
		}
	}
	return nil
}

// Stage moves a label from a version to another, or takes it away where to is empty.
// A crash leaves all labels where they were, or where they go.
func (s *Service) Stage(ctx context.Context, ref, stage, from, to string) (*Secret, error) {
	if err := checkStages([]string{stage}); err != nil {
		return nil, err
	}
	switch {
	case from == "" && to == "":
		return nil, invalid("You must specify MoveToVersionId, RemoveFromVersionId, or both.")
	case to == "" && stage == Current:
		return nil, invalid("You can't remove the staging label %s from a version without moving it to another: specify MoveToVersionId.", Current)
	}
	return s.change(ctx, ref, func(tx store.Tx, sec *Secret) error {
		at := sec.Stages[stage]
		switch {
		case from != "" && from != at:
			return invalid("The staging label %s is not attached to the version %s.", clip(stage), clip(from))
		case from == "" && at != "" && at != to:
			return invalid("The parameter RemoveFromVersionId can't be empty. Staging label %s is currently attached to version %s, "+
				"so you must explicitly reference that version in RemoveFromVersionId.", clip(stage), at)
		}
		sec.Changed = s.now()
		if to == "" {
			delete(sec.Stages, stage)
			return nil
		}
		if len(to) > maxName {
			return errNoValue
		}
		if _, err := tx.Get(versionKey(sec.Name, to)); errors.Is(err, store.ErrNotFound) {
			return errNoValue
		} else if err != nil {
			return err
		}
		sec.attach(stage, to)
		if len(sec.stagesOf(to)) > maxStages {
			return refuse("LimitExceededException", "A version can have at most %d staging labels.", maxStages)
		}
		return nil
	})
}
