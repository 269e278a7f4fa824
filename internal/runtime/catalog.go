package runtime

import "fmt"

// family is a language and the bootstrap that serves it.
type family string

const (
	nodejs   family = "nodejs"
	python   family = "python"
	java     family = "java"
	provided family = "provided"
)

// entry is a runtime as Lambda names it.
type entry struct {
	name    string
	family  family
	version string // as the program reports it: a major for nodejs and java, "3.12" for python
}

// catalog lists the runtimes Mayfly serves, in the order `mayfly runtime ls`
// shows them. The names are Lambda's:
// https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html
var catalog = []entry{
	{"nodejs18.x", nodejs, "18"},
	{"nodejs20.x", nodejs, "20"},
	{"nodejs22.x", nodejs, "22"},
	{"nodejs24.x", nodejs, "24"},
	{"python3.9", python, "3.9"},
	{"python3.10", python, "3.10"},
	{"python3.11", python, "3.11"},
	{"python3.12", python, "3.12"},
	{"python3.13", python, "3.13"},
	{"python3.14", python, "3.14"},
	{"java17", java, "17"},
	{"java21", java, "21"},
	{"java25", java, "25"},
	{"provided.al2", provided, ""},
	{"provided.al2023", provided, ""},
}

// Names lists every runtime a function may name here, found or not.
func Names() []string {
	names := make([]string, len(catalog))
	for i, e := range catalog {
		names[i] = e.name
	}
	return names
}

func entryOf(name string) (entry, bool) {
	for _, e := range catalog {
		if e.name == name {
			return e, true
		}
	}
	return entry{}, false
}

// packageOf is the Debian package that brings the runtime where a release has it.
func (e entry) packageOf() string {
	switch e.family {
	case nodejs:
		return "nodejs"
	case python:
		return "python" + e.version
	case java:
		return fmt.Sprintf("openjdk-%s-jdk-headless", e.version)
	}
	return ""
}
