# Bucket Brigade. `make` lists what there is to do.

# Variables of `make run` and `make demo`, `make stress`, `make fuzz`, `make test`.
SHARDS    ?= 2
PORT      ?= 8080
BASE_PORT ?= 7100
FUZZTIME  ?= 20s
VOICE     ?=
USERS     ?= 40
DURATION  ?= 20s
COUNTS    ?= 0,1,2
MOST      ?= 2000
TESTFLAGS ?=

# Our Opus binding can also read Ogg files; that half would need libopusfile.
TAGS := nolibopusfile
# The ring's inner loops use vectors where Go offers them: still an experiment of
# Go's. Without it they are plain loops that take three times as long.
export GOEXPERIMENT := simd
BIN  := build/bin

# What the shards tell clients of themselves.
VERSION := $(shell git rev-parse --short HEAD 2>/dev/null || echo unknown)
BRANCH  := $(shell git rev-parse --abbrev-ref HEAD 2>/dev/null || echo unknown)
LDFLAGS := -X main.version=$(VERSION) -X main.branch=$(BRANCH)

.DEFAULT_GOAL := help
.PHONY: help deps need build run demo stress stress-shards deb deb-arm64 e2e e2e-long test fuzz bench clean

help: ## this list
	@printf 'Bucket Brigade: make TARGET [VARIABLE=VALUE]\n\n'
	@awk -F ':.*## ' '/^[a-z][a-z0-9-]*:.*## / { printf "  %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@printf '\nVariables: SHARDS=%s PORT=%s BASE_PORT=%s FUZZTIME=%s USERS=%s DURATION=%s COUNTS=%s MOST=%s\n' \
	    '$(SHARDS)' '$(PORT)' '$(BASE_PORT)' '$(FUZZTIME)' '$(USERS)' '$(DURATION)' '$(COUNTS)' '$(MOST)'

deps: ## install what is missing of compiler, libopus, nginx, and what tests need (apt, with sudo)
	@scripts/install-deps

# As deps, without what only tests need: a browser is a lot to ask for a song.
need:
	@scripts/install-deps --programs

build: ## all programs, into build/bin
	@echo 'building into $(BIN) (the first time takes a minute)'
	@mkdir -p $(BIN)
	@go build -tags $(TAGS) -ldflags '$(LDFLAGS)' -o $(BIN)/ ./cmd/... ./stress

run: need build ## the whole brigade on this machine: SHARDS, PORT, BASE_PORT
	@exec $(BIN)/brigade-run -shards $(SHARDS) -listen 127.0.0.1:$(PORT) -base-port $(BASE_PORT)

demo: build ## test voices (or VOICE=a.wav) sing in the brigade of `make run`, into build/demo
	@$(BIN)/stress demo -url http://127.0.0.1:$(PORT) -voice '$(VOICE)' -out build/demo

stress: need build ## does a brigade of this machine carry USERS singers for DURATION, on SHARDS shards?
	@$(BIN)/stress local -shards $(SHARDS) -users $(USERS) -duration $(DURATION)

stress-shards: need build ## how many does it carry (up to MOST), unsharded and with shards: COUNTS=0,1,2
	@$(BIN)/stress shards -counts $(COUNTS) -most $(MOST)

deb: deps ## a Debian package of all that runs on a server, into build/deb
	@TAGS='$(TAGS)' LDFLAGS='$(LDFLAGS)' scripts/package

deb-arm64: deps ## the same for arm64; needs apt-get install gcc-aarch64-linux-gnu libc6-dev-arm64-cross
	@TAGS='$(TAGS)' LDFLAGS='$(LDFLAGS)' scripts/package arm64

e2e: deps ## as root: install the package on a machine with a real systemd, end each process in each way
	@go test -v -count=1 -timeout 15m -tags $(TAGS) -skip TestBoxLong ./e2e/box

e2e-long: deps ## the same over and over under 100 singers, with counts; upgrades; the manual; ten minutes
	@go test -v -count=1 -timeout 30m -tags $(TAGS) -run TestBoxLong ./e2e/box -long

test: deps ## everything CI checks: format, vet, staticcheck, tests with -race
	@echo '== gofmt'
	@bad=$$(gofmt -l $$(find . -name '*.go' -not -path './build/*')); \
	    if [ -n "$$bad" ]; then echo "not formatted, run gofmt -w on:"; echo "$$bad"; exit 1; fi
	@echo '== go vet'
	@go vet -tags $(TAGS) ./...
	@echo '== staticcheck'
	@go tool staticcheck -tags $(TAGS) ./...
	@echo '== go test -race'
	@go test -race -tags $(TAGS) $(TESTFLAGS) $$(go list -tags $(TAGS) ./... | grep -v -e '/e2e$$' -e '/e2e/box$$' -e '/stress$$')
	@echo '== go test -race, the whole brigade: at real pace, so little runs beside it'
	@go test -race -p 1 -parallel 4 -tags $(TAGS) $(TESTFLAGS) ./e2e ./stress

fuzz: deps ## every fuzz target for FUZZTIME each
	@scripts/fuzz -tags $(TAGS) $(FUZZTIME)

bench: need build ## how near to its limits all is, into docs/performance.md; six minutes
	@$(BIN)/stress bench -out docs/performance.md -raw build/bench

clean: ## remove build/
	@rm -rf build
