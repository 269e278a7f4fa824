# Two commands matter: `make demo` and `make test`. Both need Go, git and make.

GO      ?= go
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X main.version=$(VERSION)

# Everything but the race detector's builds is compiled one way, so that gVisor,
# the largest part by far, is compiled once.
export CGO_ENABLED := 0
export GOFLAGS := $(GOFLAGS) -trimpath

# gVisor's own processes can't be instrumented by the race detector: what links
# them in is tested without it, as the program it becomes.
LINKS_GVISOR := ./internal/sandbox/cmd ./internal/sandbox/gvisor/launcher

.PHONY: build demo test vet unit blackbox blackbox-postgres bench setup clean

# What runs in and around sandboxes are small programs of their own, embedded in
# the binary.
build:
	$(GO) build -ldflags "-s -w" -o internal/program/bin/mayfly-agent ./internal/agent/cmd
	$(GO) build -ldflags "-s -w" -o internal/program/bin/mayfly-sandbox ./internal/sandbox/cmd
	$(GO) build -ldflags "$(LDFLAGS)" -o bin/mayfly ./cmd/mayfly

demo: build
	@bin/mayfly demo

test: setup build vet unit blackbox

setup:
	@test/setup.sh

vet:
	$(GO) vet ./...

# Two packages at once: one would leave a core idle, more would starve the tests
# that measure time.
unit:
	CGO_ENABLED=1 $(GO) test -race -p 2 -timeout 10m $$($(GO) list ./internal/... ./examples/... | grep -vFx "$$($(GO) list $(LINKS_GVISOR))")
	$(GO) test -p 2 -timeout 10m $(LINKS_GVISOR)

# The real SDKs and tools against the real binary.
blackbox:
	MAYFLY_BINARY=$(CURDIR)/bin/mayfly $(GO) test -p 1 -count 1 -timeout 10m ./test/...

# The same with every node's store on a PostgreSQL server.
blackbox-postgres:
	MAYFLY_BINARY=$(CURDIR)/bin/mayfly $(GO) run ./test/database/with $(GO) test -p 1 -count 1 -timeout 10m ./test/functions ./test/cli ./test/tools

bench: setup build
	$(GO) run ./bench

clean:
	rm -rf bin internal/program/bin/mayfly-*
