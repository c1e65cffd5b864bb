# The verbs of this repository. `make test` is everything, and all that CI calls.

CARGO ?= cargo

.PHONY: test lint bench clean

# Formatting, lints, documentation, then every test. Needs Rust and nothing else.
test: lint
	$(CARGO) test --workspace

lint:
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --quiet

# Ratios of CPU time, in one run; never part of the tests.
bench:
	$(CARGO) build --release --package shipshape
	python3 tests/bench.py target/release/shipshape target

clean:
	$(CARGO) clean
