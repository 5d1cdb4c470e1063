# Everything a person does with the tree. `make` alone lists it.
#
# Each step leaves a stamp that depends on what the step read, so a second run does only what changed. Tools that the
# machine lacks (venv, Node, Chromium) are fetched by the scripts, and only when they are missing.

SHELL := /bin/bash
MAKEFLAGS += --no-print-directory
export PATH := $(CURDIR)/.venv/bin:$(CURDIR)/.node/bin:$(PATH)
export PIP_DISABLE_PIP_VERSION_CHECK := 1

PIP := scripts/quiet .venv/bin/python -m pip install --quiet
LOCK := .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-config --custom-compile-command "make lock"
PAGE_SOURCES := $(shell find frontend/src frontend/public frontend/index.html frontend/vite.config.ts \
	frontend/svelte.config.js frontend/tsconfig.json -type f 2>/dev/null)
SOAK_MINUTES ?= 30

.PHONY: help run test lint bench autobahn soak pictures build setup lock clean page-tests weigh wheel
.DELETE_ON_ERROR:

help: ## List what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

run: .stamps/runtime .stamps/page ## Start a simulated shop and print the address of its page
	@exec .venv/bin/stockwire demo

test: setup .stamps/chromium .stamps/nginx .stamps/page .stamps/package ## Run every check and every test
	@$(MAKE) --jobs=2 --output-sync=target --keep-going lint page-tests weigh wheel || failed=1; \
	echo "--- pytest"; \
	.venv/bin/pytest -q --no-header --numprocesses=auto --maxprocesses=4 --dist=loadfile --ignore=tests/soak tests || exit; \
	if [ -n "$$failed" ]; then echo "--- failed before the tests, see above"; exit 1; fi

lint: setup ## Check style, types and layers in both languages
	@echo "--- ruff" && .venv/bin/ruff check --quiet . && .venv/bin/ruff format --quiet --check .
	@echo "--- mypy" && .venv/bin/mypy --no-error-summary --strict src
	@echo "--- import-linter" && scripts/quiet .venv/bin/lint-imports
	@echo "--- svelte-check" && cd frontend && ../scripts/quiet npm run --silent check
	@echo "--- eslint" && cd frontend && npm run --silent lint -- --cache --cache-location .cache/eslint
	@echo "--- prettier" && cd frontend && ../scripts/quiet npm run --silent format:check
	@echo "--- dependency-cruiser" && cd frontend && ../scripts/quiet npm run --silent layers

page-tests: .stamps/node_modules ## Run the page's own tests
	@echo "--- vitest" && cd frontend && npm run --silent test -- --reporter=dot

weigh: .stamps/page .stamps/client ## Hold the page and the client to their weight
	@echo "--- size-limit" && cd frontend && npm run --silent size

build: .stamps/page wheel ## Build the page and the wheel that carries it

wheel: .stamps/dev .stamps/page
	@echo "--- wheel" && rm -rf dist && scripts/quiet .venv/bin/python -m build --wheel --no-isolation --outdir dist
	@.venv/bin/python scripts/check_wheel.py dist/*.whl

bench: .stamps/dev .stamps/page ## Measure, and write bench/results
	@bench/run

autobahn: .stamps/dev ## Run the Autobahn suite, where there is one
	@.venv/bin/python bench/autobahn.py

soak: .stamps/dev .stamps/page .stamps/chromium ## Run for long and look for leaks (SOAK_MINUTES=30 for each)
	@STOCKWIRE_EXAMPLES=200 STOCKWIRE_FUZZ_RUNS=2000000 .venv/bin/pytest -q --no-header tests/hostile tests/fuzz
	@STOCKWIRE_SOAK_MINUTES=$(SOAK_MINUTES) .venv/bin/pytest -q --no-header tests/soak

pictures: .stamps/dev .stamps/page .stamps/chromium ## Take the pictures of the documentation anew
	@.venv/bin/python scripts/take_pictures.py

setup: .stamps/dev .stamps/node_modules ## Install what the work needs, at the locked versions

lock: .stamps/dev ## Choose versions anew and write the lock files
	@$(LOCK) --upgrade pyproject.toml -o requirements/runtime.txt
	@$(LOCK) --upgrade --group build -c requirements/runtime.txt -o requirements/build.txt
	@$(LOCK) --upgrade --group node -c requirements/runtime.txt -o requirements/node.txt
	@$(LOCK) --upgrade pyproject.toml --group dev -c requirements/runtime.txt -c requirements/build.txt \
		-o requirements/dev.txt
	@$(LOCK) --upgrade --group bench -o requirements/bench.txt
	@cd frontend && npm install --package-lock-only --ignore-scripts --loglevel=error
	@cd bench/peers && npm install --package-lock-only --loglevel=error

clean: ## Remove what was built
	@rm -rf dist src/stockwire/dashboard frontend/dist frontend/.cache .stamps/page .stamps/client .stamps/package
	@rm -rf .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

# --- what the targets stand on ---------------------------------------------------------------------------------

.venv/bin/python:
	@scripts/make-venv .venv

.stamps/runtime: requirements/runtime.txt requirements/build.txt pyproject.toml | .venv/bin/python .stamps/volley
	@mkdir -p .stamps && echo "--- installing the service"
	@$(PIP) --require-hashes -r requirements/runtime.txt
	@$(PIP) --require-hashes -r requirements/build.txt
	@$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

.stamps/volley: src/stockwire/engine/_volley.c scripts/compile-volley | .venv/bin/python
	@mkdir -p .stamps && scripts/compile-volley .venv/bin/python && touch $@

.stamps/dev: requirements/dev.txt .stamps/runtime
	@echo "--- installing the tools"
	@$(PIP) --require-hashes -r requirements/dev.txt
	@touch $@

.stamps/node: requirements/node.txt scripts/find-node | .venv/bin/python
	@mkdir -p .stamps && scripts/find-node .node
	@touch $@

.stamps/node_modules: frontend/package-lock.json frontend/package.json .stamps/node
	@echo "--- installing the page's packages"
	@cd frontend && ../scripts/quiet npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

.stamps/page: $(PAGE_SOURCES) .stamps/node_modules
	@echo "--- building the page" && cd frontend && npm run --silent build -- --logLevel warn
	@touch $@

.stamps/client: $(PAGE_SOURCES) .stamps/node_modules
	@cd frontend && npm run --silent build -- --mode client --logLevel warn
	@touch $@

.stamps/package: $(PAGE_SOURCES) $(wildcard frontend/realtime-package/*) LICENSE .stamps/node_modules
	@cd frontend && node realtime-package/assemble.js
	@touch $@

.stamps/chromium: scripts/find-chromium
	@mkdir -p .stamps && scripts/find-chromium
	@touch $@

.stamps/nginx: scripts/find-nginx
	@mkdir -p .stamps && scripts/find-nginx
	@touch $@
