SHELL       := /bin/bash
.SHELLFLAGS := -o pipefail -ec

GOLANGCI := .bin/golangci-lint
GOLANGCI_VERSION := v2.15.0
VERSION  := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
DEMO_DIR ?= build/demo

.DEFAULT_GOAL := help

.PHONY: help
help: ## say what each target does
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1\t/p' $(MAKEFILE_LIST) | while IFS=$$'\t' read -r t d; do printf '  %-11s %s\n' "$$t" "$$d"; done

.PHONY: build
build: ## build the static program build/ims
	@mkdir -p build
	CGO_ENABLED=0 go build -trimpath -ldflags '-X main.version=$(VERSION)' -o build/ims ./cmd/ims

.PHONY: dist
dist: ## build the archives and Debian packages of a release into build/dist
	scripts/dist

.PHONY: demo
demo: build ## retire a gateway of a lab on this machine, under real mail
	build/ims demo --yes

.PHONY: demo-audit
demo-audit: build ## the demo, recounted from the mailboxes' own files without ims
	rm -rf $(DEMO_DIR)
	build/ims demo --yes --keep --dir $(DEMO_DIR)
	python3 internal/lab/audit/audit.py $(DEMO_DIR)

.PHONY: prove
prove: build ## prove and test the shipped runbooks with the program itself
	build/ims runbook lint runbooks/
	build/ims runbook check --bounds ci runbooks/
	build/ims runbook test runbooks/
	go test -count=1 -timeout 5m ./pkg/check # most of its mutants are too slow for the race detector

.PHONY: test
test: test-deps prove ## run all tests with the race detector
	@command -v gcc >/dev/null || { echo 'make: the race detector needs a C compiler; try: apt-get install gcc libc6-dev' >&2; exit 1; }
	@mkdir -p build && go build -o build/testsum ./internal/testsum
	CGO_ENABLED=1 PATH="$$PATH:/usr/sbin:/sbin" go test -race -count=1 -timeout 15m -json ./... | build/testsum

.PHONY: test-deps
test-deps: ## install what the tests need (root on Debian only; else it says what is missing)
	@scripts/test-deps

$(GOLANGCI):
	GOBIN=$(CURDIR)/.bin go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)

.PHONY: lint
lint: $(GOLANGCI) ## run the linters
	$(GOLANGCI) run ./...

.PHONY: bench
bench: ## run the benchmarks of commit, accept, drain and the rest
	go test -run '^$$' -bench . -benchmem ./...

.PHONY: fuzz
fuzz: ## run each fuzz target for 20 seconds
	scripts/fuzz 20s

.PHONY: check
check: lint ## lint, import directions, dead code, drift of generated files
	go test ./internal/archtest
	@out=$$(go tool -modfile=internal/tools/go.mod deadcode -test ./...); [ -z "$$out" ] || { echo "$$out"; exit 1; }
	@before=$$(git diff | sha256sum); go generate ./...; [ "$$before" = "$$(git diff | sha256sum)" ] || { echo 'make: generated files have drifted: commit what go generate wrote' >&2; exit 1; }
