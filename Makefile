# The chores of the house, one line each: `make help` prints them.

export CGO_ENABLED := 0
GO ?= go
FUZZTIME ?= 30s
HOT := ./audit/... ./auth/... ./gateway/... ./guard/... ./internal/jsonedit/... ./internal/sse/... ./internal/decode/... ./policy/... ./redact/...
SIDE_BY_SIDE := ./audit/... ./auth/... ./gateway/... ./guard/... ./policy/... ./redact/... ./server/...
LINT := $(GO) tool -modfile=tools/go.mod golangci-lint

.DEFAULT_GOAL := help
.PHONY: help run build test unit check fmt vet lint race fuzz bench accuracy soak train-fast docs clean

help: ## print this
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 8
run: build ## see attacks succeed without ringwall and fail behind it (ONCE=1: and end)
	bin/ringwall demo $(if $(ONCE),--once)
build: ## build bin/ringwall
	$(GO) build -trimpath -o bin/ringwall ./cmd/ringwall
test: ## run every suite, with what it needs installed first
	bash scripts/test
unit: ## run the Go tests
	$(GO) test -shuffle=on ./...
check: vet lint unit ## what every commit passes
fmt: ## format the code, in today's idioms
	$(GO) fix -stringsbuilder=false ./... && $(LINT) fmt ./...
vet: ## look for mistakes that the compiler lets pass
	$(GO) vet ./...
lint: ## run the linters, which are built first (minutes, once)
	$(LINT) run ./...
race: ## run the tests of what runs side by side with the race detector (needs gcc)
	CGO_ENABLED=1 $(GO) test -race -short -shuffle=on -skip Allocates $(SIDE_BY_SIDE)
fuzz: ## run each fuzz target for FUZZTIME (30s)
	bash scripts/fuzz $(FUZZTIME)
soak: ## make floods on 127.0.0.1 and print what they do (two minutes)
	RINGWALL_SOAK=4 $(GO) test -count=1 -timeout 5m -v -run '^(TestSoak|TestHTTP2)' ./server | grep -v '^=== '
bench: build ## measure the hot path, and what the gateway adds to a request
	$(GO) test -run '^$$' -bench . -benchmem $(HOT) && bin/ringwall bench
accuracy: build ## print docs/accuracy.md of the labelled texts in DATA
	bash scripts/accuracy $(DATA) > docs/accuracy.md
train-fast: ## learn the models of attacks and content from the labelled texts in DATA (half an hour)
	$(MAKE) -C training/fast assets DATA=$(abspath $(DATA))
docs: ## rewrite the docs that are generated
	$(GO) test . -run 'IsCurrent$$' -update
clean: ## remove what was built and installed here
	rm -rf bin .venv .cache suites/node/node_modules
