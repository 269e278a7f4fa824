package runtime

import (
	"path/filepath"
)

// Lookup returns the runtime of a name: *UnknownError if there is none,
// *MissingError if it is not on this machine. The first lookup of a Java runtime
// compiles its bootstrap, which takes a second or two.
func (s *Set) Lookup(name string) (Runtime, error) {
	e, ok := entryOf(name)
	if !ok {
		return Runtime{}, &UnknownError{Runtime: name, Valid: Names()}
	}
	s.mu.Lock()
	r, ok := s.found[name]
	s.mu.Unlock()
	if !ok {
		return Runtime{}, e.missing("")
	}
	if e.family == java {
		if err := s.ready(r); err != nil {
			return Runtime{}, e.missing(err.Error())
		}
	}
	return r, nil
}

// Status is one line of `mayfly runtime ls`.
type Status struct {
	Name  string `json:"name"`
	Found bool   `json:"found"`
	// Path and Version are of the program; Detail says what a person should know
	// where there is none.
	Path    string `json:"path,omitempty"`
	Version string `json:"version,omitempty"`
	Detail  string `json:"detail,omitempty"`
	// SDK is where the AWS SDK was found that functions get without packaging it;
	// SDKName is its name. Both are empty where Lambda's runtime has none.
	SDK     string `json:"sdk,omitempty"`
	SDKName string `json:"sdkName,omitempty"`
	// Add are commands that bring what is missing, the runtime or its SDK.
	Add []string `json:"add,omitempty"`
}

// List gives every runtime of the catalog in its order.
func (s *Set) List() []Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]Status, 0, len(catalog))
	for _, e := range catalog {
		r, ok := s.found[e.name]
		st := Status{Name: e.name, Found: ok, Path: r.Path, Version: r.Version, SDKName: e.sdkName()}
		switch {
		case !ok:
			m := e.missing("")
			st.Detail, st.Add = m.Reason, m.Hints
		case st.SDKName != "":
			if st.SDK = r.sdk; st.SDK == "" {
				st.Detail, st.Add = st.SDKName+" is missing", []string{"mayfly runtime add " + e.name}
			} else {
				st.SDK = filepath.Join(st.SDK, st.SDKName)
			}
		case e.family == java && !r.jdk:
			st.Found, st.Detail, st.Add = false, errNoCompiler.Error(), e.missing("").Hints
		case e.family == provided:
			st.Detail = "the function brings its own program"
		}
		list = append(list, st)
	}
	return list
}

func (e entry) sdkName() string {
	switch e.family {
	case nodejs:
		return "@aws-sdk"
	case python:
		return "boto3"
	}
	return ""
}

// missing describes what to do about a runtime that is not there.
func (e entry) missing(reason string) *MissingError {
	m := &MissingError{Runtime: e.name, Reason: reason}
	m.Hints = append(m.Hints, "mayfly runtime add "+e.name)
	if p := e.packageOf(); p != "" {
		m.Hints = append(m.Hints, "apt-get install "+p)
	}
	return m
}
