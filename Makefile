# The two commands are `make serve` and `make test`; each does all of its own set-up on a fresh Debian machine.
# Everything is installed into .venv and node_modules; as root, missing Debian packages are installed by apt-get.

PYTHON ?= python3
UV ?= uv
BIN := .venv/bin
RUNTIME := .venv/.runtime
DEV := .venv/.dev
NODE := node_modules/.installed

# What only the tests need: real browsers and what drives them, and an independent WebRTC implementation with its Python bindings.
TEST_PACKAGES := chromium firefox-esr nodejs libatomic1 python3 python3-gi gir1.2-gst-plugins-bad-1.0 \
	gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-nice

# What watches a meeting for gaps wants the machine to itself; the rest, pages in a browser too, runs two files at a time.
# Those go in the order of their names: by how many tests they have, the slow files with few would come last, and one wait.
IN_MEETINGS := faults flash_and_beep hosting layers meeting mixed_meeting narrow_receiver network_loss organisation quality_marks recording redundant_sound restart ways
ALONE := $(IN_MEETINGS:%=tests/browser/test_%.py) tests/stacks tests/gates/test_gate_load.py

JS_TESTS := $(wildcard tests/js/*.test.js)

.PHONY: serve test check bench bench-peers bench-purge soak fuzz gates screenshots docs lock format clean test-packages config.example.yaml

serve: $(RUNTIME)  ## start pymeet with the dependencies it was tested with
	$(BIN)/pymeet serve $(ARGS)

test: $(DEV) test-packages  ## run all tests, or what ARGS tells pytest
	$(if $(JS_TESTS),node --test $(JS_TESTS))
ifdef ARGS
	$(BIN)/python -m pytest $(ARGS)
else
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(addprefix --ignore=,$(ALONE))
	$(BIN)/python -m pytest $(ALONE)
endif

check: $(DEV) $(NODE)  ## run all static checks
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	npx --no-install tsc -p .

bench: $(DEV)  ## measure what forwarding costs
	$(BIN)/python benchmarks/forwarding.py $(ARGS)

bench-peers: $(DEV)  ## measure pymeet beside other media servers that are installed
	$(BIN)/python benchmarks/peers.py $(ARGS)

soak: $(DEV)  ## look what is left behind after half an hour of coming, going and bad luck
	$(BIN)/python benchmarks/soak.py $(ARGS)

bench-purge: $(DEV)  ## measure what deleting two million rows does to a meeting
	$(BIN)/python benchmarks/purge.py $(ARGS)

fuzz: $(DEV)  ## search for bad input for longer than `make test` does
	HYPOTHESIS_PROFILE=long PYMEET_FUZZ=1 PYMEET_FUZZ_EXAMPLES=20000 \
		$(BIN)/python -m pytest tests/fuzz tests/signaling/test_parsing.py $(ARGS)

gates: $(DEV)  ## run the long versions of what must hold before anybody trusts a server with personal data
	PYMEET_GATES=long HYPOTHESIS_PROFILE=gates $(BIN)/python -m pytest tests/gates tests/privacy tests/db tests/ops \
		tests/recording tests/live/test_recording_crash.py tests/browser/test_accessibility.py tests/browser/test_faults.py \
		tests/browser/test_meeting.py tests/browser/test_mixed_meeting.py $(ARGS)

screenshots: $(DEV) test-packages  ## take the pictures in docs/images anew
	PYTHONPATH=.:tests/live $(BIN)/python scripts/screenshots.py

docs: $(DEV)  ## write the generated pages anew, after a change of the inventory or the retention classes
	$(BIN)/python -m pymeet.privacy.documents docs

format: $(DEV)  ## put the Python code into its standard form
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

# The locks hold a hash for every file and name no index. What builds the package itself is locked too.
LOCK := pip compile --quiet --generate-hashes --no-emit-index-url --no-header --universal --python-version 3.11 --all-extras
lock:  ## pin the dependencies anew (needs uv)
	printf "hatchling\neditables\n" | $(UV) $(LOCK) pyproject.toml - -o requirements.lock
	printf "hatchling\neditables\n" | $(UV) $(LOCK) --group dev -c requirements.lock pyproject.toml - -o requirements-dev.lock

config.example.yaml:  ## write the commented example anew, after a change of the model
	$(BIN)/python -c "from pymeet.ops.config_text import example; print(example(), end='')" > $@

clean:
	rm -rf .venv node_modules .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache

.venv/bin/pip:
	$(PYTHON) -m venv .venv 2>/dev/null || { rm -rf .venv; sh .ci/packages python3 python3-venv && python3 -m venv .venv; }

$(RUNTIME): requirements.lock pyproject.toml | .venv/bin/pip
	$(BIN)/pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation -e .
	touch $@

$(DEV): requirements-dev.lock pyproject.toml | .venv/bin/pip
	$(BIN)/pip install --quiet --require-hashes -r requirements-dev.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation -e .
	touch $@ $(RUNTIME)

$(NODE): package-lock.json package.json
	command -v npm >/dev/null || sh .ci/packages nodejs npm
	npm ci --no-audit --no-fund --loglevel=error
	touch $@

test-packages:
	sh .ci/packages $(TEST_PACKAGES)
