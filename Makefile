# The verbs of this repository. `make test` is everything, and all that CI calls.

CARGO ?= cargo

.PHONY: test lint e2e e2e-setup local bench bench-functions bench-memory fuzz clean

TARGET := $(or $(CARGO_TARGET_DIR),target)

# Formatting, lints, documentation, then every test. Needs Rust, and for the emulators Python 3 with its venv.
test: lint
	$(CARGO) test --workspace --exclude shipshape-e2e
	$(MAKE) e2e

lint:
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings
	$(CARGO) clippy --workspace --all-targets --features shipshape/aws -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --quiet

# The template and the functions on emulators of AWS. Each function is built by itself, as it ships; what is not built
# with others can't get a feature from them. So is the command line that calls AWS. Output of the last run stays in
# target/e2e/runs.
FUNCTIONS := $(filter-out functions/cli/Cargo.toml,$(wildcard functions/*/Cargo.toml))
e2e: e2e-setup
	rm -rf $(TARGET)/e2e/runs
	set -e; for function in $(FUNCTIONS); do $(CARGO) build --manifest-path $$function; done
	$(CARGO) build --manifest-path functions/cli/Cargo.toml --features aws
	$(CARGO) test -p shipshape-e2e

# A local AWS with the stack as it ships, to put events on by hand; the README shows how. It prints what to set, and runs
# until its input ends.
local: e2e-setup
	set -e; for function in $(FUNCTIONS); do $(CARGO) build --manifest-path $$function; done
	$(CARGO) run -p shipshape-e2e --bin local

# Virtual environments of the emulators and of sam. The first time takes a few minutes, then nothing.
e2e-setup:
	python3 tests/e2e/setup.py

# Ratios of CPU time, in one run; never part of the tests.
bench:
	python3 tests/bench.py speed
	$(MAKE) bench-functions

# The functions as they ship, each built by itself, on Linux. The first time a quarter of an hour, then half a minute.
bench-functions:
	python3 tests/bench/functions.py

# Peak memory at 5 and 20 GB, and a report of ten thousand findings. Takes a while, and 6 GB of disk.
bench-memory:
	python3 tests/bench.py memory
	python3 tests/bench.py many

# Ten minutes of any bytes through parse, evaluate and plan. Needs a nightly compiler and a C++ compiler, and installs
# cargo-fuzz. What it finds goes to tests/fuzz/found, which every `cargo test` runs.
FUZZ_SECONDS ?= 600
fuzz:
	$(CARGO) install cargo-fuzz --locked --version 0.13.2 --root $(TARGET)/fuzz/tool
	mkdir -p $(TARGET)/fuzz/corpus $(TARGET)/fuzz/findings
	PATH="$(abspath $(TARGET))/fuzz/tool/bin:$$PATH" $(CARGO) +nightly fuzz run --fuzz-dir tests/fuzz \
		--target-dir $(TARGET)/fuzz --sanitizer none event $(TARGET)/fuzz/corpus $(wildcard events/*/) tests/fuzz/found -- \
		-max_total_time=$(FUZZ_SECONDS) -artifact_prefix=$(TARGET)/fuzz/findings/ -max_len=65536 -timeout=10

clean:
	$(CARGO) clean
