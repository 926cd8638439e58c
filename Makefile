# The verbs of this repository; `make` lists them. Each works from a fresh clone.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.setup-done
LOCKS := requirements/dev.lock
PAGE := web/dist/.built
NODE_MODULES := web/node_modules/.installed
PAGE_SOURCES = $(shell find web -path web/node_modules -prune -o -path 'web/dist*' -prune -o -path web/tests -prune -o -type f -print)
PROJECTS := pyproject.toml wire/pyproject.toml sdks/python/pyproject.toml
PYTEST_ARGS ?=
# Tests that run at the same time; most of them wait for other processes rather than compute.
WORKERS ?= 3

.DEFAULT_GOAL := list
.PHONY: screenshots list setup compiled check check-page test gen web demo bench chaos fuzz audit-tamper components lock

list:
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

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
	$(MAKE) --no-print-directory check-page

# Hundreds of processes are started: bytecode is made beforehand, and kept of the tests too, which every worker would else compile anew.
test: compiled $(if $(PYTEST_ARGS),,web) ## Every test; narrow it with PYTEST_ARGS="tests/unit -k sse"
	$(if $(PYTEST_ARGS),,tools/npm.sh test)
	env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(PYTEST_ARGS)

gen: setup $(NODE_MODULES) ## Write the generated files again: wire/ from proto/, docs/reference/{openapi,descriptor.schema}.json, descriptors.md, web/src/api/schema.d.ts
	$(BIN)/python tools/gen_wire.py
	$(BIN)/python tools/gen_openapi.py
	$(BIN)/python tools/gen_descriptors.py
	tools/npm.sh run types

web: $(PAGE) ## Build the web page into web/dist, with this machine's Node or one that is fetched (quick when nothing changed)

$(NODE_MODULES): web/package-lock.json
	tools/npm.sh ci
	@touch $@

# Built beside the old one and put in its place when it is whole, so that a server that runs never serves half of it.
$(PAGE): $(NODE_MODULES) $(PAGE_SOURCES)
	tools/npm.sh run build -- --outDir dist.new --emptyOutDir
	rm -rf web/dist && mv web/dist.new web/dist
	@touch $@

# The types of the API come from its description, which is held to the routes above.
check-page: $(NODE_MODULES)
	tools/npm.sh run check
	tools/npm.sh run types -- --check

demo: compiled ## Server, agent and a sample game in one process; prints where the page is and how to call them
	@$(MAKE) --no-print-directory web || echo "The page could not be built, see above: going on without it." >&2
	$(BIN)/croupier dev

screenshots: compiled web ## Pictures of every page in both languages and themes, into docs/screenshots/ (needs: make components)
	$(BIN)/python tools/screenshots.py
	$(BIN)/python tools/recipe_pictures.py

bench: compiled web ## Measure speed against the yardsticks (needs: make components)
	$(BIN)/python benchmarks/run.py

# Editing or pulling leaves old bytecode behind, and start time is a promise.
compiled: setup
	@$(BIN)/python -m compileall -q src wire/src sdks/python/src

chaos: compiled ## Kill, stop and cut everything at random under load: make chaos SEED=7 MINUTES=10
	CHAOS_SEED=$(or $(SEED),1) CHAOS_MINUTES=$(or $(MINUTES),5) $(BIN)/python -m pytest -s tests/system/test_chaos.py

fuzz: compiled ## Ask the HTTP API what a program makes up, as four roles: make fuzz FUZZ=50 SEED=7
	FUZZ=$(or $(FUZZ),20) SEED=$(or $(SEED),1) $(BIN)/python -m pytest -s -m fuzz --timeout=14400 tests/system/test_fuzz.py

audit-tamper: compiled ## Bend every bit of an export of the audit record, some minutes long; `make test` takes every 64th
	AUDIT_TAMPER=all $(BIN)/python -m pytest -q -n $(WORKERS) tests/unit/test_audit_tampering.py

components: ## Install the Debian packages that benchmarks and CI need (tools/components.txt)
	tools/components.sh

lock: setup ## Resolve dependencies anew and write requirements/*.lock (hashes, no addresses)
	tools/lock.sh
