# Everything a contributor types. The environment is .venv/, made on first use and renewed when the pins change.

PYTHON ?= python3
BIN := .venv/bin
OPTIONS ?= # of `orchestrator run` in `make demo`, for example OPTIONS='--trials 5'
INSTALLED := .venv/.installed

# Containers often set it. Every process that Ray starts would then compile all that it imports anew (10 s, not 3).
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup model demo test test-unit check format clean
.DELETE_ON_ERROR:

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

setup: $(INSTALLED) ## install the project and its tools into .venv/

# The stamp is written last: an install that fails or is interrupted is done again.
$(INSTALLED): pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null || { echo "there is no '$(PYTHON)' here: try 'make PYTHON=python3.11 ...'" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { \
		echo "Python 3.10 or newer is needed, $(PYTHON) is $$($(PYTHON) --version 2>&1): try 'make PYTHON=python3.11 ...'" >&2; exit 1; }
	@rm -f $@
	@$(PYTHON) -m venv .venv || { echo "cannot make .venv: on Debian and Ubuntu, 'apt install python3-venv'" >&2; exit 1; }
	@echo "installing into .venv (this takes some minutes the first time; log in .venv/install.log) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --log .venv/install.log \
		-c constraints.txt -e '.[test]'
	@touch $@

model: $(INSTALLED) ## build the bundled digits model unless it is there
	@$(BIN)/python -m serve_apps.nets.build digits

demo: model ## search a configuration for the digits model, some minutes
	@$(BIN)/orchestrator run search_spaces/digits.yaml $(OPTIONS)

test: model ## run all tests: unit, contract and integration (the last start Ray clusters)
	@$(BIN)/python -m pytest tests -n 2 --no-loadscope-reorder

test-unit: $(INSTALLED) ## run the quick tests only
	@$(BIN)/python -m pytest tests/unit -n 2 --no-loadscope-reorder

check: $(INSTALLED) ## lint, formatting, types and import rules
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/python -m pytest tests/unit/test_architecture.py

format: $(INSTALLED) ## apply the formatting and the safe fixes
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

clean: ## remove caches and build products; .venv/ and mlruns/ stay
	@rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info
	@find . -name __pycache__ -type d -not -path './.venv/*' -prune -exec rm -rf {} +
