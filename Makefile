# Everything here needs only Python 3.11 or newer. Each command makes the virtual environment it needs, once.
#   make demo    certify the embedded reference implementation, and write the bundle to ./out
#   make test    all tests of the harness
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
  $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV ?= .venv
BIN := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
RUN := $(VENV)/run.stamp
DEV := $(VENV)/dev.stamp
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install
DEMO ?=
FUZZ ?=
TEETH ?=
# Tests wait more than they compute: more of them at once than this computer has cores.
JOBS ?= 4
PYTEST := $(BIN)/python -m pytest -n $(JOBS) --dist worksteal

.DEFAULT_GOAL := help
.PHONY: help demo test nightly teeth fuzz lint bench sample release lock clean

help:
	@echo "make demo | test | lint | nightly | teeth | fuzz | bench | release | lock | clean"
	@echo "make fuzz FUZZ='signature --seconds 3600' fuzzes one target for an hour"
	@echo "make teeth TEETH='--pack ncts-p5' tries the faults of another pack"
	@echo "make demo DEMO='--role platform' passes options on to c2c demo"

demo: $(RUN)
	@$(BIN)/python -m harness demo $(DEMO)

test: $(DEV)
	$(PYTEST)

nightly: $(DEV)
	$(PYTEST) -m ""

fuzz: $(DEV)
	-$(PIP) "atheris>=3"
	$(BIN)/python tests/fuzz/fuzz_run.py $(FUZZ)

teeth: $(DEV)
	$(BIN)/python -m harness teeth --docs docs/teeth $(TEETH)

lint: $(DEV)
	$(BIN)/python -m ruff check .
	$(BIN)/python -m mypy

bench: $(DEV)
	$(BIN)/python -m benchmarks

sample: $(DEV)
	$(BIN)/python scripts/sample.py

release: $(DEV)
	$(BIN)/python scripts/release.py

lock:
	$(PYTHON) -m venv $(VENV)-lock
	$(VENV)-lock/$(notdir $(BIN))/python -m pip --disable-pip-version-check --quiet install pip-tools==7.6.2
	$(VENV)-lock/$(notdir $(BIN))/python scripts/lock.py

clean:
	rm -rf $(VENV) $(VENV)-lock build dist out

$(RUN): requirements/run.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer was not found. Install it, or say: make PYTHON=/path/to/python3"; exit 11; }
	@echo "Making $(VENV) with $(PYTHON); this is done once."
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) --require-hashes -r requirements/run.txt
	@touch $@

$(DEV): requirements/dev.txt pyproject.toml $(RUN)
	@$(PIP) --require-hashes -r requirements/dev.txt
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@
