package code

import (
	"fmt"
	"path"
	"strings"
)

// cleanPath checks an archive's name by itself and gives it in its one form:
// relative, without "." and "..", without a trailing slash ("." for the root).
func cleanPath(name string) (clean string, isDir bool, err error) {
	refuse := func(why string) (string, bool, error) {
		return "", false, badZip(fmt.Sprintf("the name %.100q %s", name, why))
	}
	switch {
	case name == "":
		return refuse("is empty")
	case len(name) > maxPath:
		return refuse(fmt.Sprintf("is longer than %d bytes", maxPath))
	case strings.ContainsAny(name, "\x00\\"):
		return refuse("has a backslash or a NUL")
	case name[0] == '/':
		return refuse("is absolute")
	}
	isDir = strings.HasSuffix(name, "/")
	parts := strings.Split(strings.TrimSuffix(name, "/"), "/")
	if len(parts) > maxDepth {
		return refuse(fmt.Sprintf("is more than %d directories deep", maxDepth))
	}
	for _, p := range parts {
		if p == ".." {
			return refuse("leads out of the package")
		}
		if len(p) > maxName {
			return refuse(fmt.Sprintf("has a part longer than %d bytes", maxName))
		}
	}
	return path.Clean(strings.Join(parts, "/")), isDir, nil
}

// checkTree checks the names of an archive against each other: none twice, none
// below something that is no directory, and no link that leads out.
func checkTree(entries []entry) error {
	kinds := make(map[string]entryKind, len(entries))
	links := map[string]string{}
	for _, e := range entries {
		if k, ok := kinds[e.path]; ok && (k != dirEntry || e.kind != dirEntry) {
			return badZip(fmt.Sprintf("the name %.100q is there twice", e.path))
		}
		kinds[e.path] = e.kind
		if e.kind == linkEntry {
			links[e.path] = e.link
		}
	}
	for _, e := range entries {
		for dir := path.Dir(e.path); dir != "."; dir = path.Dir(dir) {
			if k, ok := kinds[dir]; ok && k != dirEntry {
				return badZip(fmt.Sprintf("%.100q lies below %.100q, which is no directory", e.path, dir))
			}
		}
	}
	for at := range links {
		if !leadsInside(links, at) {
			return badZip(fmt.Sprintf("the link %.100q leads out of the package, or in a circle", at))
		}
	}
	return nil
}

// leadsInside walks a link as the kernel would, links on its way included:
// "d -> a/.." leaves the package when "a" is itself a link to the top, though
// it looks harmless.
func leadsInside(links map[string]string, at string) bool {
	var done []string // the directory reached so far
	todo := strings.Split(at, "/")
	for hops := 0; len(todo) > 0; {
		part := todo[0]
		todo = todo[1:]
		switch part {
		case "", ".":
			continue
		case "..":
			if len(done) == 0 {
				return false
			}
			done = done[:len(done)-1]
			continue
		}
		done = append(done, part)
		target, ok := links[strings.Join(done, "/")]
		if !ok {
			continue
		}
		if hops++; hops > maxHops || target == "" || target[0] == '/' || strings.ContainsAny(target, "\x00\\") {
			return false
		}
		done = done[:len(done)-1]
		todo = append(strings.Split(target, "/"), todo...)
	}
	return true
}

// maxHops is how many links the kernel follows on one path.
const maxHops = 40
