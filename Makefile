# The verbs of this repository; `make` lists them. Each works from a fresh clone.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.setup-done
LOCKS := requirements/dev.lock
PROJECTS := pyproject.toml wire/pyproject.toml sdks/python/pyproject.toml
PYTEST_ARGS ?=
# Tests that run at the same time; most of them wait for other processes rather than compute.
WORKERS ?= 3

.DEFAULT_GOAL := list
.PHONY: list setup compiled check test gen web demo bench chaos audit-tamper components lock

list:
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## Make .venv with exactly the locked packages and this project in it (quick when nothing changed)

# The packages come first and checked by hash, then the three distributions of this repository without their dependencies.
# Bytecode is compiled even where the environment forbids Python to write it: start time depends on it.
$(STAMP): $(LOCKS) $(PROJECTS)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Croupier needs Python 3.11 or newer; name one: make setup PYTHON=python3.11")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --no-deps --require-hashes -r requirements/dev.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e wire -e sdks/python -e .
	$(BIN)/python -m compileall -q -j 0 .venv/lib src wire/src sdks/python/src
	@touch $@

check: setup ## Style, types, import rules, generated files, what must not be committed
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python tools/gen_wire.py --check
	$(BIN)/python tools/gen_openapi.py --check
	$(BIN)/python tools/gen_descriptors.py --check
	$(BIN)/python tools/check_tree.py

# Hundreds of processes are started: bytecode is made beforehand, and kept of the tests too, which every worker would else compile anew.
test: compiled ## Every test; narrow it with PYTEST_ARGS="tests/unit -k sse"
	env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(PYTEST_ARGS)

gen: setup ## Write the generated files again: wire/ from proto/, docs/reference/{openapi,descriptor.schema}.json, descriptors.md
	$(BIN)/python tools/gen_wire.py
	$(BIN)/python tools/gen_openapi.py
	$(BIN)/python tools/gen_descriptors.py

web: ## Build the web page (not part of this version)
	@echo "This version has no web page: use the command line or the HTTP API (docs/reference/)." >&2; exit 1

demo: compiled ## Server, agent and a sample game in one process; prints how to call them
	$(BIN)/croupier dev

bench: compiled ## Measure speed against the yardsticks (needs: make components)
	$(BIN)/python benchmarks/run.py

# Editing or pulling leaves old bytecode behind, and start time is a promise.
compiled: setup
	@$(BIN)/python -m compileall -q src wire/src sdks/python/src

chaos: compiled ## Kill, stop and cut everything at random under load: make chaos SEED=7 MINUTES=10
	CHAOS_SEED=$(or $(SEED),1) CHAOS_MINUTES=$(or $(MINUTES),5) $(BIN)/python -m pytest -s tests/system/test_chaos.py

audit-tamper: compiled ## Bend every bit of an export of the audit record, some minutes long; `make test` takes every 64th
	AUDIT_TAMPER=all $(BIN)/python -m pytest -q -n $(WORKERS) tests/unit/test_audit_tampering.py

components: ## Install the Debian packages that benchmarks and CI need (tools/components.txt)
	tools/components.sh

lock: setup ## Resolve dependencies anew and write requirements/*.lock (hashes, no addresses)
	tools/lock.sh
