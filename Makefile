# make run    sets everything up and serves on 127.0.0.1:8765
# make test   sets everything up and runs every check and test
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check
# Wheels that had to be compiled are kept, so that another clone need not compile them again.
WHEELS := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/tinyagent/wheels

.PHONY: run setup test check unit clean

run: setup
	@$(BIN)/tinyagent serve

setup: $(VENV)/.installed

test: check unit

check: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports

unit: $(VENV)/.installed-dev
	$(BIN)/python -m pytest

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 or newer is needed; set PYTHON=..."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed, this is $$($(PYTHON) --version); set PYTHON=..."; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.llama: constraints.txt | $(BIN)/python
	@echo "Installing llama.cpp (the first time it is compiled: about five minutes) ..."
	@mkdir -p "$(WHEELS)"
	$(PIP) wheel --quiet --no-deps --find-links "$(WHEELS)" --wheel-dir "$(WHEELS)" -c constraints.txt llama-cpp-python
	@touch $@

$(VENV)/.installed: pyproject.toml constraints.txt $(VENV)/.llama
	$(PIP) install --quiet --find-links "$(WHEELS)" -c constraints.txt -e .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(PIP) install --quiet --find-links "$(WHEELS)" -c constraints.txt -e '.[train,dev]'
	@touch $@

clean:
	rm -rf $(VENV) .pytest_cache .ruff_cache .import_linter_cache .hypothesis build dist
