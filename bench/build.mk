# Lightning DB and its peers, side by side. A workspace of its own: nothing else builds RocksDB.

BENCH_IN := cd bench && CARGO_TARGET_DIR=target nice -n 10
BENCH := cd bench && target/release/bench
# `mdbx,rocksdb` where libclang is; both bindings are made by it.
BENCH_FEATURES = $(shell bench/tools.sh features)
BENCH_FLAGS = --release --locked --no-default-features --features "$(BENCH_FEATURES)"
# One run of a quick comparison; all of it takes about 3 minutes on a quiet machine.
BENCH_QUICK := --records 100000 --runs 3 --read-seconds 0.08 --write-seconds 0.4

.PHONY: bench-build
bench-build:
	@bench/tools.sh install
	$(BENCH_IN) cargo build $(BENCH_FLAGS)

.PHONY: bench
bench: bench-build ## Compare with six peers: about an hour; table and chart go to bench/target/results
	$(say) 'comparison'
	@$(BENCH) compare

.PHONY: bench-quick
bench-quick: bench-build ## The same with 100,000 records, in about 3 minutes
	$(say) 'quick comparison'
	@$(BENCH) compare --out target/results/quick $(BENCH_QUICK)
	@cat bench/target/results/quick/comparison.md

.PHONY: bench-flushes
bench-flushes: bench-build ## See with strace that every durable put was flushed before it returned
	$(say) 'flushes'
	@$(BENCH) flushes

.PHONY: bench-large
bench-large: bench-build ## Compare with 20 M records in 512 MiB of memory: root, cgroups, half an hour
	$(say) 'more data than memory'
	@$(BENCH) large

.PHONY: bench-check
bench-check: bench-build ## Count instructions of hot paths, and say what moved by more than 10 % since the baseline
	$(say) 'against bench/baseline.json'
	@$(BENCH) check --out target/results/check $(BENCH_QUICK)

.PHONY: bench-baseline
bench-baseline: bench-build ## Write bench/baseline.json anew: on a quiet machine
	$(say) 'bench/baseline.json'
	@$(BENCH) check --write --out target/results/check $(BENCH_QUICK)

.PHONY: bench-test
bench-test: ## Check and test the comparison, with small sizes
	@bench/tools.sh install
	$(BENCH_IN) cargo fmt --check
	$(BENCH_IN) cargo clippy --all-targets $(BENCH_FLAGS) -- -D warnings
	$(BENCH_IN) cargo test $(BENCH_FLAGS)
