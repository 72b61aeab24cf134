# make run    sets everything up and serves on 127.0.0.1:8765
# make test   sets everything up and runs every check and test
# make models makes data, models, examples and cards anew: hours on two cores (MINUTES, COMPACT_SECONDS)
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check
# Wheels that had to be compiled are kept, so that another clone need not compile them again.
WHEELS := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/tinyagent/wheels

# Real requests with acceptable tools (JSONL) and ordinary English (text, .xz) are used where they are given.
LABELLED        :=
ENGLISH         :=
MINUTES         := 205
COMPACT_SECONDS := 6000
WORK            := .work/models

.PHONY: run setup test check unit clients models clean

run: setup
	@$(BIN)/tinyagent serve

setup: $(VENV)/.installed

test: check unit

check: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports

unit: $(VENV)/.installed-dev clients
	TINYAGENT_CLIENTS=required $(BIN)/python -m pytest -n 2 --dist loadfile

# The clients that the tests drive, each with its own versions, away from what is served.
clients: $(VENV)/.installed-dev
	tests/clients/install $(BIN)/python

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
	$(PIP) install --quiet --find-links "$(WHEELS)" -c constraints.txt -e '.[train,dev,otel]'
	@touch $@

models: $(VENV)/.installed-dev
	mkdir -p $(WORK)
	$(BIN)/tinyagent data check training/data/written/*.txt
	$(BIN)/tinyagent data make --data training/data --out $(WORK)/data
	$(BIN)/tinyagent data card --data training/data --out training/data/README.md
	$(BIN)/python -m tinyagent.training.train_nano --data training/data $(if $(LABELLED),--labelled $(LABELLED)) \
	  --out $(WORK)/nano.pt --minutes $(MINUTES) --threads 1
	$(BIN)/python -m tinyagent.training.export_nano --checkpoint $(WORK)/nano.pt --out models/nano
	$(BIN)/tinyagent train thresholds --model models/nano --data training/data
	$(BIN)/tinyagent data examples --data training/data --out models/examples
	$(BIN)/python -m tinyagent.training.gguf_train --data training/data $(if $(ENGLISH),--english $(ENGLISH)) \
	  --work $(WORK)/compact --seconds $(COMPACT_SECONDS) --threads 1
	$(BIN)/python -m tinyagent.training.gguf_export --work $(WORK)/compact --out models/compact/compact-q8_0.gguf
	$(MAKE) cards

cards: $(VENV)/.installed-dev
	mkdir -p $(WORK)
	$(BIN)/python -m tinyagent.training.holdout --data training/data --source natural --out $(WORK)/natural.jsonl
	$(BIN)/python -m tinyagent.training.holdout --data training/data --source written --out $(WORK)/written.jsonl
	$(BIN)/tinyagent eval-report --cases $(WORK)/natural.jsonl --cases $(WORK)/written.jsonl \
	  --planner nano --planner compact --ablations --out $(WORK)/report
	for model in nano compact; do \
	  $(BIN)/python -m tinyagent.evaluation.card --report $(WORK)/report/report.json --card models/$$model/README.md; \
	done

clean:
	rm -rf $(VENV) .venv-clients .pytest_cache .ruff_cache .import_linter_cache .hypothesis build dist
