# The two commands of the README are `make demo` and `make test`; each installs what it needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: demo test pds slow crash loops bench check lint types layers wheel clean

demo: $(STAMP)
	@$(BIN)/tribridge demo

test: $(STAMP)
	@$(BIN)/pytest -n auto --dist loadgroup -m "not pds and not slow"

# The suites that take longer, each under its own name.
pds: $(STAMP)
	$(BIN)/pytest -m pds

slow: $(STAMP)
	$(BIN)/pytest -m slow

# Kills the engine again and again, and compares the networks with what was said on them.
KILLS ?= 300
FLAVOUR ?= mastodon
crash: $(STAMP)
	$(BIN)/python -m tests.crash --kills $(KILLS) --flavour $(FLAVOUR) $(if $(SEED),--seed $(SEED))

# Random graphs of bots: each comes to rest with the copies that it implies.
GRAPHS ?= 200
loops: $(STAMP)
	$(BIN)/python -m tests.loops --graphs $(GRAPHS)

bench: $(STAMP)
	$(BIN)/python -m tests.bench

check: lint types layers

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)
	$(BIN)/mypy

layers: $(STAMP)
	$(BIN)/lint-imports

# A wheel in an environment of its own runs the demo: nothing is missing from it.
wheel: $(STAMP)
	rm -rf build/wheel && mkdir -p build/wheel
	$(BIN)/python -m build --wheel --outdir build/wheel . >build/wheel/build.log
	$(PYTHON) -m venv build/wheel/venv
	build/wheel/venv/bin/pip install -q -c constraints.txt build/wheel/*.whl
	cd build/wheel && venv/bin/tribridge demo

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14) and "tribridge needs Python 3.11, 3.12 or 3.13: make PYTHON=python3.12 ...")'
	@echo "Installing into $(VENV): about a minute, the first time"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -q --disable-pip-version-check "pip>=25.1"
	@$(BIN)/pip install -q -c constraints.txt --editable . --group dev
	@touch $(STAMP)

clean:
	rm -rf $(VENV) build demo .servers .mypy_cache .ruff_cache .pytest_cache .hypothesis
