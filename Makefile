# Two commands matter: `make demo` and `make test`. Both need Go, git and make.

GO      ?= go
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X main.version=$(VERSION)

.PHONY: build demo test unit blackbox bench setup clean

# The agent runs inside sandboxes of custom runtimes, so it is a program of its
# own, small and static, embedded in the binary.
build:
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags "-s -w" -o internal/agent/bin/mayfly-agent ./internal/agent/cmd
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags "$(LDFLAGS)" -o bin/mayfly ./cmd/mayfly

demo: build
	@bin/mayfly demo

test: setup build unit blackbox

setup:
	@test/setup.sh

# Packages one by one would leave cores idle, all at once would starve the tests
# that measure time: two it is.
unit:
	$(GO) vet ./...
	$(GO) test -race -p 2 -timeout 10m ./cmd/... ./internal/... ./examples/...

# The real SDKs and tools against the real binary.
blackbox:
	MAYFLY_BINARY=$(CURDIR)/bin/mayfly $(GO) test -race -p 1 -count 1 -timeout 10m ./test/...

bench: setup build
	$(GO) run ./bench

clean:
	rm -rf bin internal/agent/bin/mayfly-agent
