package cgroup

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestFindPlace lays out version 2 hierarchies as plain files. A control file
// that can't be written, as that of a group with processes, is a directory.
func TestFindPlace(t *testing.T) {
	const busy = "busy"
	for _, c := range []struct {
		name   string
		own    string
		groups map[string][2]string // controllers and subtree_control
		want   place
		none   bool
	}{
		{
			name: "root", own: "",
			groups: map[string][2]string{"": {"cpu memory pids io", ""}},
			want:   place{dir: "", controllers: []string{"memory", "cpu", "pids"}},
		},
		{
			name: "service in a subgroup of its own", own: "mayfly.service/node",
			groups: map[string][2]string{
				"":                    {"cpu memory pids", "cpu memory"},
				"mayfly.service":      {"cpu memory pids", "cpu memory pids"},
				"mayfly.service/node": {"cpu memory pids", busy},
			},
			want: place{dir: "mayfly.service", controllers: []string{"memory", "cpu", "pids"}},
		},
		{
			name: "session without controllers", own: "user.slice/session",
			groups: map[string][2]string{
				"":                   {"cpu memory pids", "memory pids"},
				"user.slice":         {"memory pids", "pids"},
				"user.slice/session": {"", busy},
			},
			want: place{dir: "", controllers: []string{"memory", "cpu", "pids"}},
		},
		{
			name: "hybrid", own: "",
			groups: map[string][2]string{"": {"hugetlb", ""}},
			want:   place{dir: ""},
		},
		{
			name: "container", own: "",
			groups: map[string][2]string{"": {"cpu memory pids", busy}},
			none:   true,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			mount := t.TempDir()
			for dir, files := range c.groups {
				make := func(name, text string) {
					path := filepath.Join(mount, dir, name)
					err := os.MkdirAll(filepath.Dir(path), 0o700)
					if err == nil && text == busy {
						err = os.Mkdir(path, 0o700)
					} else if err == nil {
						err = os.WriteFile(path, []byte(text), 0o600)
					}
					if err != nil {
						t.Fatal(err)
					}
				}
				make("cgroup.controllers", files[0])
				make("cgroup.subtree_control", files[1])
			}
			got, ok := findPlace(hierarchy{v2: true, mount: mount, own: filepath.Join(mount, c.own)})
			if ok == c.none {
				t.Fatalf("found %v: %v", ok, got)
			}
			if c.none {
				return
			}
			c.want.v2 = true
			got.dir = strings.TrimPrefix(strings.TrimPrefix(got.dir, mount), "/")
			if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(place{})); diff != "" {
				t.Errorf("place (-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseMount(t *testing.T) {
	for _, c := range []struct {
		line, root string
		want       hierarchy
		ok         bool
	}{
		{
			line: "35 24 0:30 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate",
			root: "/", want: hierarchy{v2: true, mount: "/sys/fs/cgroup"}, ok: true,
		},
		{
			line: "36 24 0:31 /docker/1 /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct",
			root: "/docker/1", want: hierarchy{mount: "/sys/fs/cgroup/cpu,cpuacct", controllers: []string{"cpu", "cpuacct"}}, ok: true,
		},
		{line: "37 24 0:32 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd", root: "/", want: hierarchy{mount: "/sys/fs/cgroup/systemd"}},
		{line: "38 24 0:33 / /proc rw - proc proc rw", root: "/", want: hierarchy{mount: "/proc"}},
		{line: "nonsense"},
	} {
		got, root, ok := parseMount(c.line)
		if ok != c.ok || root != c.root {
			t.Errorf("%s: %v %q", c.line, ok, root)
		}
		if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(hierarchy{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.line, diff)
		}
	}
}
