package launcher

import "testing"

func TestLastGiven(t *testing.T) {
	for _, c := range []struct {
		args []string
		want int
	}{
		{nil, 2},
		{[]string{"umount", "--sync-fd=3", "/mnt"}, 3},
		{[]string{"--network=sandbox", "boot", "--dev-io-fd=-1", "--total-memory", "25276510208", "--controller-fd=8", "--stdio-fds=10", "env-1"}, 10},
		{[]string{"boot", "--io-fds=4,5,6", "--spec-fd=9", "--pass-fd=13:1", "--pass-fd=16:4"}, 16},
	} {
		if got := lastGiven(c.args); got != c.want {
			t.Errorf("%v: %d, want %d", c.args, got, c.want)
		}
	}
}
