VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PACKAGES := node_modules/.package-lock.json
PEERS := $(VENV)/.peers
SPHINX := $(VENV)/.sphinx
BENCHMARKS := columns eager fused kinds networks storing service startup

.DEFAULT_GOAL := help
# what needs node runs where node is; where CI is set, a missing one fails
define with_node
	@if command -v npm >/dev/null && $(MAKE) --silent $(PACKAGES); then npm run --silent $(1); \
	else echo "The page's JavaScript is not checked: that needs npm, node 20 or newer, and the packages of package-lock.json"; \
		test -z "$$CI"; fi
endef

.PHONY: help setup demo serve test sweep check openapi probe docs bench format test-page check-page format-page

help:
	@echo "make setup    the environment in $(VENV), if it is not there or out of date"
	@echo "make demo     three descents over HTTP, and their picture"
	@echo "make serve    the service at http://127.0.0.1:8000"
	@echo "make test     all tests"
	@echo "make sweep    both engines: every optimizer on every function, a thousand random jobs: an hour"
	@echo "make check    format, lint, types, layers, the page's JavaScript, what is generated"
	@echo "make format   mend what can be mended of these"
	@echo "make openapi  write openapi.json and the generated parts of the documentation anew"
	@echo "make probe    measure the optimizers, and write what is on record of them anew"
	@echo "make docs     the documentation, as a site in docs/_build/html"
	@echo "make bench    the benchmarks"

setup: $(READY)

$(READY): pyproject.toml constraints.txt
	@echo "setting up $(VENV); the first time takes some minutes"
	@test -x $(BIN)/pip || python3 -m venv $(VENV)
	@$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[dev,zoo]'
	@touch $@

# npm writes this file last
$(PACKAGES): package.json package-lock.json .npmrc
	@npm ci --loglevel=error --no-audit --no-fund --prefer-offline --fetch-retries=1

$(PEERS): $(READY)
	@echo "adding what the benchmarks compare with to $(VENV)"
	@$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[dev,zoo,bench]'
	@touch $@

$(SPHINX): $(READY)
	@echo "adding what builds the documentation to $(VENV)"
	@$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[dev,zoo,docs]'
	@touch $@

demo: setup
	@$(BIN)/python demo/himmelblau.py

serve: setup
	@$(BIN)/thalweg serve

test: setup test-page
	OMP_NUM_THREADS=1 $(BIN)/pytest -n auto tests/unit tests/store tests/api tests/releases
	$(BIN)/pytest -n 2 --dist loadfile tests/workers tests/acceptance
	$(BIN)/pytest tests/web

test-page:
	$(call with_node,test)

check-page:
	$(call with_node,check)

format-page:
	$(call with_node,fix)

sweep: setup
	OMP_NUM_THREADS=1 $(BIN)/pytest -n auto tests/sweeps

check: setup check-page
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@$(BIN)/thalweg openapi | diff -u openapi.json - || \
		{ echo "openapi.json is not what the service says of itself: run 'make openapi' and commit it"; exit 1; }
	@$(BIN)/python -m docs.generate --check

format: setup format-page
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

openapi: setup
	@$(BIN)/thalweg openapi > openapi.json.new && mv openapi.json.new openapi.json || \
		{ rm -f openapi.json.new; exit 1; }
	@$(BIN)/python -m docs.generate

docs: $(SPHINX)
	@$(BIN)/python -m sphinx -q -b html -W --keep-going -n -E docs docs/_build/html
	@echo "the documentation is in docs/_build/html/index.html"

probe: setup
	$(BIN)/python -m thalweg.analysis.probe

bench: $(PEERS)
	@for name in $(BENCHMARKS); do $(BIN)/python -m benchmarks.$$name || exit 1; done
