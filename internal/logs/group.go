package logs

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/mayfly-cloud/mayfly/internal/fault"
	"github.com/mayfly-cloud/mayfly/internal/page"
	"github.com/mayfly-cloud/mayfly/internal/record"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

// Group is a log group: where one function's streams are.
type Group struct {
	Name      string
	Created   int64  // ms since 1970
	Class     string // "STANDARD", ...
	Retention int    // days; 0 for ever
	Protected bool   // cannot be deleted
	Tags      map[string]string
}

// size counts bytes.
type size struct{ Bytes int64 }

// maxTags is how many tags a group may have.
const maxTags = 50

// retentions are the periods a policy may have, in days.
var retentions = []int{1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}

// createGroup makes a group; all but its name may be zero.
func (s *Service) createGroup(ctx context.Context, g *Group) error {
	if err := checkGroup(g.Name); err != nil {
		return err
	}
	if err := checkTags(g.Tags); err != nil {
		return err
	}
	if g.Class == "" {
		g.Class = "STANDARD"
	}
	g.Created = s.now()
	return s.cfg.Store.Update(ctx, func(tx store.Tx) error {
		if _, err := tx.Get(groupKey(g.Name)); err == nil {
			return errGroupExists
		} else if !errors.Is(err, store.ErrNotFound) {
			return err
		}
		return save(tx, groupKey(g.Name), g)
	})
}

// deleteGroup removes a group and everything in it.
func (s *Service) deleteGroup(ctx context.Context, name string) error {
	return s.cfg.Store.Update(ctx, func(tx store.Tx) error {
		g, err := load[Group](tx, groupKey(name), errNoGroup)
		if err != nil {
			return err
		}
		if g.Protected {
			return fault.New(http.StatusBadRequest, "OperationAbortedException", "The log group has deletion protection enabled.")
		}
		for _, kind := range []string{"stream", "chunk", "index"} {
			r := store.Prefix(below(kind, name))
			if err := tx.DeleteRange(r.Start, r.End); err != nil {
				return err
			}
		}
		return errors.Join(tx.Delete(groupKey(name)), tx.Delete(sizeKey(name)))
	})
}

// changeGroup lets change alter a group.
func (s *Service) changeGroup(ctx context.Context, name string, change func(*Group) error) error {
	return s.cfg.Store.Update(ctx, func(tx store.Tx) error {
		g, err := load[Group](tx, groupKey(name), errNoGroup)
		if err != nil {
			return err
		}
		if err := change(g); err != nil {
			return err
		}
		return save(tx, groupKey(name), g)
	})
}

// setRetention sets for how many days events are kept; 0 is for ever.
func (s *Service) setRetention(ctx context.Context, name string, days int) error {
	if days != 0 && !slices.Contains(retentions, days) {
		return constraint(days, "retentionInDays", "Member must satisfy enum value set: [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653]")
	}
	return s.changeGroup(ctx, name, func(g *Group) error { g.Retention = days; return nil })
}

// tag adds tags to a group.
func (s *Service) tag(ctx context.Context, name string, tags map[string]string) error {
	return s.changeGroup(ctx, name, func(g *Group) error {
		all := maps.Clone(g.Tags)
		if all == nil {
			all = map[string]string{}
		}
		maps.Copy(all, tags)
		g.Tags = all
		return checkTags(all)
	})
}

// untag removes tags from a group; those it has not are passed over.
func (s *Service) untag(ctx context.Context, name string, keys []string) error {
	return s.changeGroup(ctx, name, func(g *Group) error {
		maps.DeleteFunc(g.Tags, func(k, _ string) bool { return slices.Contains(keys, k) })
		return nil
	})
}

func checkTags(tags map[string]string) error {
	if len(tags) > maxTags {
		return fault.New(http.StatusBadRequest, "TooManyTagsException", "A log group can have at most %d tags.", maxTags)
	}
	for k, v := range tags {
		if k == "" || len(k) > 128 || len(v) > 256 || strings.HasPrefix(k, "aws:") {
			return invalid("The tag %q is not valid: keys have 1 to 128 characters and do not begin with aws:, values have at most 256.", k)
		}
	}
	return nil
}

// group reads one group.
func (s *Service) group(ctx context.Context, name string) (g *Group, err error) {
	err = s.cfg.Store.View(ctx, func(r store.Reader) error {
		g, err = load[Group](r, groupKey(name), errNoGroup)
		return err
	})
	return g, err
}

// groupQuery says which groups are listed.
type groupQuery struct {
	prefix, pattern, class string
	names                  []string // these only, if any
	limit                  int
	token                  string
}

// held is a group and the bytes in it.
type held struct {
	Group
	bytes int64
}

// listGroups gives groups by name, and the token for more.
func (s *Service) listGroups(ctx context.Context, q groupQuery) (list []held, token string, err error) {
	const listing = "DescribeLogGroups"
	after, err := page.After(listing, q.token)
	if err != nil {
		return nil, "", errToken
	}
	rng := store.Prefix(beginning("group", q.prefix))
	if after != "" {
		rng.Start = append(groupKey(after), 0)
	}
	err = s.cfg.Store.View(ctx, func(r store.Reader) error {
		list, token = nil, ""
		for p, err := range r.Scan(rng) {
			if err != nil {
				return err
			}
			var h held
			if err := record.Unmarshal(p.Value, &h.Group); err != nil {
				return err
			}
			if !q.wants(&h.Group) {
				continue
			}
			if len(list) == q.limit {
				token = page.Token(listing, list[len(list)-1].Name)
				return nil
			}
			b, err := load[size](r, sizeKey(h.Name), nil)
			if err == nil {
				h.bytes = b.Bytes
			} else if !errors.Is(err, store.ErrNotFound) {
				return err
			}
			list = append(list, h)
		}
		return nil
	})
	return list, token, err
}

func (q *groupQuery) wants(g *Group) bool {
	return (q.pattern == "" || strings.Contains(g.Name, q.pattern)) && (q.class == "" || q.class == g.Class) &&
		(len(q.names) == 0 || slices.Contains(q.names, g.Name))
}
