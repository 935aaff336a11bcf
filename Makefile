# Every target makes and fills .venv itself. Needed: Python 3.11 or newer, make, a package index.

PYTHON ?= python3
# Processes that run tests, and further options for pytest.
JOBS ?= 2
PYTEST_ARGS ?=

BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
PYTEST := PYTHONHASHSEED=0 $(BIN)/python -m pytest -n $(JOBS) --dist worksteal

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help run test nightly bench check lint fmt docs picture node clean distclean

help: ## Say what each target does
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

run: .venv/run.stamp ## Derive and verify an example: the gradient of an Elman network
	@mkdir -p build
	$(BIN)/rnnsym derive elman --wrt W_aa
	$(BIN)/rnnsym emit elman -o build/elman.py
	$(BIN)/rnnsym verify elman
	@$(BIN)/rnnsym derive elman --wrt W_aa -o build/elman_W_aa.tex
	@$(BIN)/rnnsym derive elman --wrt W_aa -o build/elman_W_aa.md
	@$(BIN)/rnnsym derive elman --wrt W_aa -o build/elman_W_aa.pdf 2>/dev/null \
	  || echo "(no PDF: LaTeX is not installed)" >&2
	@echo "Above: the derivation in LaTeX, and the check of the code generated from it, build/elman.py."

test: .venv/dev.stamp ## Run all the tests
	$(PYTEST) $(PYTEST_ARGS)

bench: .venv/dev.stamp ## Run the benchmarks
	$(BIN)/python -m tests.benchmarks

nightly: .venv/dev.stamp ## Run whole grids, and draw 10,000 random networks instead of 100 (hours)
	RNNSYM_NIGHTLY=1 $(PYTEST) -m nightly $(PYTEST_ARGS)
	RNNSYM_COMPOSITIONS=10000 $(PYTEST) tests/compositions $(PYTEST_ARGS)

check: lint ## Check format, style, types and imports, then run the fast tests
	$(PYTEST) -m "not slow" $(PYTEST_ARGS)

lint: .venv/dev.stamp ## Check format, style, types and imports
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports

fmt: .venv/dev.stamp ## Format the code and mend what can be mended
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format

docs: .venv/docs.stamp ## Build derivations/ into build/docs: a book, pages, Markdown for Hugo
	$(BIN)/rnnsym build derivations -o build/docs $(if $(ROW_END),--row-end '$(ROW_END)')

picture: .venv/run.stamp ## Make the picture of the README again (needs LaTeX and pdftoppm)
	@mkdir -p build
	$(BIN)/rnnsym derive elman --wrt W_aa -o build/picture.pdf
	pdftoppm -r 110 -f 2 -l 2 -png -singlefile build/picture.pdf docs/derivation

node: ## Install KaTeX and MathJax for the tests that use them (needs npm)
	npm install --prefix .node --no-audit --no-fund --no-save katex@0.16.22 mathjax-full@3.2.2

clean: ## Remove what was built, and caches
	rm -rf build dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find rnnsym tests -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean ## Remove also .venv and .node
	rm -rf .venv .node

# The environment, then what `make run` needs, then what the tests and checks need besides.

.venv/venv.stamp:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 3.11 or newer is needed, and $(PYTHON) is not. Name another: make PYTHON=python3.12" >&2; \
	  exit 1; }
	@$(PYTHON) -m venv --clear .venv || { \
	  rm -rf .venv; \
	  echo "$(PYTHON) could not make a virtual environment: its module venv or ensurepip is missing." >&2; \
	  echo "Install it (on Debian: apt-get install python3-venv), or name another: make PYTHON=python3.12" >&2; \
	  exit 1; }
	@touch $@

.venv/run.stamp: pyproject.toml .venv/venv.stamp
	@echo "Installing rnnsym into .venv" >&2
	@$(PIP) install -qq -e .
	@touch $@

.venv/docs.stamp: pyproject.toml .venv/venv.stamp
	@$(PIP) install -qq -e '.[docs,latex]'
	@touch .venv/run.stamp $@

.venv/dev.stamp: pyproject.toml .venv/venv.stamp
	@echo "Installing rnnsym and what its tests and checks use into .venv (a few minutes)" >&2
	@$(PIP) install -qq -e '.[dev]'
	@touch .venv/run.stamp .venv/docs.stamp $@
