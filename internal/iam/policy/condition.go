package policy

import (
	"errors"
	"strings"
)

// condition is one key of a statement's Condition: all of them have to hold.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition.html
type condition struct {
	text     string // the operator as it is written, for explanations
	op       *operator
	set      quantifier
	ifExists bool
	key      keyName
	operands []operand
	written  []string // the operands as they are written
}

// quantifier says how a key with several values is compared.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
type quantifier uint8

const (
	single quantifier = iota
	forAllValues
	forAnyValue
)

// operand is a value of the policy that one of the request is compared with.
type operand interface {
	// holds compares; known is false if the operand has a variable that the request
	// has no value for.
	holds(value string, k *Keys) (ok, known bool)
}

var errOperator = errors.New("no such operator")

// compileConditions finds all unknown operators before any value that isn't one.
// An operator without keys says nothing, whatever its name, and IAM takes it.
func compileConditions(tests []test, variables bool) ([]condition, error) {
	list := make([]condition, len(tests))
	for i, t := range tests {
		c := &list[i]
		*c = condition{text: t.operator, key: newKeyName(t.key), written: t.values}
		name := t.operator
		if rest, ok := strings.CutPrefix(name, "ForAllValues:"); ok {
			name, c.set = rest, forAllValues
		} else if rest, ok := strings.CutPrefix(name, "ForAnyValue:"); ok {
			name, c.set = rest, forAnyValue
		}
		name, c.ifExists = strings.CutSuffix(name, "IfExists")
		c.op = operators[name]
		if c.op == nil || name == "Null" && (c.ifExists || c.set != single) {
			return nil, errOperator
		}
	}
	for i := range list {
		for _, v := range list[i].written {
			o, err := list[i].op.compile(v, variables)
			if err != nil {
				return nil, err
			}
			list[i].operands = append(list[i].operands, o)
		}
	}
	return list, nil
}

// holds says whether the condition does, in a statement that allows or denies.
//
// A key that is absent differs from everything: a negated operator holds.
// With ForAllValues nothing is left to differ and the condition holds; with
// ForAnyValue there is none to be found and it doesn't. One empty value is to them
// as none.
func (c *condition) holds(k *Keys, allow bool) bool {
	values := k.get(&c.key)
	if c.op.null {
		return c.null(len(values) == 0, k)
	}
	if len(values) == 0 && c.ifExists {
		return true
	}
	none := len(values) == 0 || len(values) == 1 && values[0] == ""
	switch {
	case c.set == forAllValues:
		return none || c.count(values, k, allow) == len(values)
	case c.set == forAnyValue:
		return !none && c.count(values, k, allow) > 0
	case c.op.negated:
		return c.count(values, k, allow) == len(values)
	}
	return c.count(values, k, allow) > 0
}

// count is how many of the request's values the operator holds for.
func (c *condition) count(values []string, k *Keys, allow bool) int {
	n := 0
	for _, v := range values {
		if c.one(v, k, allow) {
			n++
		}
	}
	return n
}

// one compares one value of the request: it has to be one of the operands, or none
// of them if the operator is negated. An operand with an unknown variable is taken
// for what is worse for the caller: no match where a match is asked for, and where
// a difference is asked for, none to allow by, one to deny by.
func (c *condition) one(value string, k *Keys, allow bool) bool {
	for _, o := range c.operands {
		ok, known := o.holds(value, k)
		if ok || !known && c.op.negated && allow {
			return !c.op.negated
		}
	}
	return c.op.negated
}

// null is the Null operator: "true" asks for the key to be absent.
func (c *condition) null(absent bool, k *Keys) bool {
	for _, o := range c.operands {
		if ok, _ := o.holds("true", k); ok == absent {
			return true
		}
	}
	return false
}
