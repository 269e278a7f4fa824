// Package house checks the rules of the house: which room may know which, where
// the SDK's types stop, and how large a room may grow.
package house

import (
	"bufio"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const (
	root   = "../.."
	module = "github.com/mayfly-cloud/mayfly/"
	sdk    = "github.com/aws/aws-sdk-go-v2/service/"
)

// floors are the rooms from the top of the house to its ground. A room imports
// only rooms of lower floors.
var floors = [][]string{
	{"cmd"},
	{"cloud"},
	{"gateway"},
	{"function", "logs", "bill", "iam", "audit", "key", "parameter", "secret", "queue", "bus"}, // the services: none imports another
	{"invoke"},
	{"placement"},
	{"worker"},
	{"runtime", "agent", "code"},
	{"sandbox/cmd"},
	{"sandbox/gvisor", "sandbox/process"},
	{"sandbox/sandboxtest"},
	{"sandbox/resolver"},
	{"sandbox/rootfs", "sandbox/launch/node"},
	{"sandbox/network", "sandbox/cgroup", "sandbox/launch"},
	{"sandbox"},
	{"wire", "auth"},
	{"message"},
	{"store/pebble", "store/postgres", "blob/file"},
	{"store/driver", "store/storetest"},
	{"store", "blob", "trace"},
	{"iam/policy", "bus/pattern", "bus/input", "schedule/expression"},
	{"access", "fault", "arn", "clock", "id", "page", "program", "recall", "retry", "record", "sdkhttp"},
}

// source is one Go file that is not a test.
type source struct {
	path string // from the root of the module
	file *ast.File
	fset *token.FileSet
}

func sources(t *testing.T) []source {
	t.Helper()
	var list []source
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "node_modules" || d.Name() == ".git") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, path, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		list = append(list, source{filepath.ToSlash(rel), f, fset})
		return err
	})
	if err != nil || len(list) == 0 {
		t.Fatalf("read sources: %d files, %v", len(list), err)
	}
	return list
}

// floor finds a room's floor by its longest name; -1 for none.
func floor(room string) (level int, name string) {
	level = -1
	for i, rooms := range floors {
		for _, r := range rooms {
			if (room == r || strings.HasPrefix(room, r+"/")) && len(r) > len(name) {
				level, name = i, r
			}
		}
	}
	return level, name
}

func TestArrowsPointDown(t *testing.T) {
	for _, s := range sources(t) {
		dir := filepath.ToSlash(filepath.Dir(s.path))
		room, ok := strings.CutPrefix(dir, "internal/")
		if !ok {
			room, ok = dir, strings.HasPrefix(dir, "cmd/")
		}
		if !ok {
			continue // examples, bench and tests stand outside the house
		}
		from, fromName := floor(room)
		if from < 0 {
			t.Errorf("%s: the room %q is on no floor; add it to floors", s.path, room)
			continue
		}
		for _, imp := range s.file.Imports {
			path, _ := strconv.Unquote(imp.Path.Value)
			target, ok := strings.CutPrefix(path, module+"internal/")
			if !ok {
				continue
			}
			to, toName := floor(target)
			if toName != fromName && to <= from {
				t.Errorf("%s imports %s, which is not below %s", s.path, target, fromName)
			}
		}
	}
}

// The SDK's types stop at a service's api files; wire and the command line are
// what speaks the protocols.
func TestSDKTypesStopAtTheAPI(t *testing.T) {
	for _, s := range sources(t) {
		if !strings.HasPrefix(s.path, "internal/") || strings.HasPrefix(s.path, "internal/wire/") ||
			strings.HasPrefix(filepath.Base(s.path), "api") {
			continue
		}
		for _, imp := range s.file.Imports {
			if path, _ := strconv.Unquote(imp.Path.Value); strings.HasPrefix(path, sdk) {
				t.Errorf("%s imports %s: SDK types belong into api files", s.path, path)
			}
		}
	}
}

func TestRoomsStaySmall(t *testing.T) {
	const maxLines, maxFunc, maxParams = 500, 60, 5
	for _, s := range sources(t) {
		if ast.IsGenerated(s.file) {
			continue
		}
		if n := s.fset.Position(s.file.End()).Line; n > maxLines {
			t.Errorf("%s has %d lines, more than %d: make two rooms of it", s.path, n, maxLines)
		}
		for _, d := range s.file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Body == nil {
				continue
			}
			if n := s.fset.Position(f.Body.Rbrace).Line - s.fset.Position(f.Pos()).Line + 1; n > maxFunc {
				t.Errorf("%s: %s has %d lines, more than %d", s.path, f.Name.Name, n, maxFunc)
			}
			if n := f.Type.Params.NumFields(); n > maxParams {
				t.Errorf("%s: %s has %d parameters, more than %d", s.path, f.Name.Name, n, maxParams)
			}
		}
	}
}

func TestEveryRoomIntroducesItself(t *testing.T) {
	documented := map[string]bool{}
	for _, s := range sources(t) {
		dir := filepath.Dir(s.path)
		documented[dir] = documented[dir] || s.file.Doc != nil
	}
	for dir, ok := range documented {
		if !ok {
			t.Errorf("%s has no package comment", dir)
		}
	}
}

// Names that say nothing of what is inside.
func TestNoDrawersForOddments(t *testing.T) {
	for _, s := range sources(t) {
		switch name := s.file.Name.Name; name {
		case "util", "utils", "common", "helpers", "helper", "manager", "base", "misc":
			t.Errorf("%s: package %s says nothing of what is inside", s.path, name)
		}
	}
}

// A test that is skipped where it matters is no test: only a named reason that
// CI takes away is one.
func TestSkipsGiveAReason(t *testing.T) {
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		lines := bufio.NewScanner(f)
		for n := 1; lines.Scan(); n++ {
			if strings.Contains(lines.Text(), "t.Skip"+"()") || strings.Contains(lines.Text(), "t.SkipNow"+"()") {
				t.Errorf("%s:%d skips without a reason", path, n)
			}
		}
		return lines.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
}
