package runtime_test

import (
	"context"
	"os"
	"testing"
)

var contextBackground = context.Background()

func TestMain(m *testing.M) {
	code := m.Run()
	if setDir != "" {
		os.RemoveAll(setDir)
	}
	os.Exit(code)
}
