# make run    set up an environment in .venv, then compute the default study
# make setup [TORCH_INDEX=<address>]   set up the environment alone; with the index of PyTorch's
#             CPU-only wheels it is 3 GB smaller (docs/README.md: Without a GPU)
# make explain [STUDY=studies/<file>.yaml]   say of each job that would run why it would
# make test   set up the same environment, then run the tests but for slow ones
# make test-all   all tests, as CI runs them
# make reliability   plant faults, and write what came of them to docs/reliability.md
# make docs   write the reference pages anew, and build the site of docs/ into site/
# make validation   simulate data sets with a known truth, and write docs/validation.md

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: help run explain test test-all setup lint bench validation reliability docs clean

help: # what `make` alone does
	@sed -n 's/^# \{0,1\}//p; /^$$/q' Makefile

run: setup
	$(BIN)/snakemake --cores all
	@echo "Open results/default/report.html in a browser."

# installs nothing: an environment that is active serves as well as .venv
explain: SNAKEMAKE := $(or $(wildcard $(BIN)/snakemake),snakemake)
explain:
	@command -v $(SNAKEMAKE) >/dev/null || { echo "There is no environment yet: run make setup"; exit 1; }
	@RULEALIGN_EXPLAIN=1 $(SNAKEMAKE) --dry-run $(if $(STUDY),--configfile $(STUDY))

test: setup
	$(BIN)/pytest -n auto -m 'not slow'

test-all: setup
	$(BIN)/pytest -n auto

setup: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11, 4))' \
		|| { echo "rulealign needs Python 3.11.4 or newer: make $(or $(MAKECMDGOALS),run) PYTHON=python3.11"; exit 1; }
	@echo "Setting up $(VENV): a download$(if $(TORCH_INDEX),, of about 3 GB) and a few minutes, once"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[test]' \
		$(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX))
	@[ -z "$(TORCH_INDEX)" ] || $(BIN)/python -c 'import torch; assert torch.version.cuda is None' \
		|| { echo "$(TORCH_INDEX): has no CPU-only PyTorch; the one for CUDA was installed"; exit 1; }
	@touch $@

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile rules
	$(BIN)/snakemake --lint

bench: setup
	$(BIN)/python benchmarks/plan.py
	$(BIN)/python benchmarks/bootstrap.py

validation: setup
	PYTHONPATH=src:benchmarks $(BIN)/python -m validation --sets 400 --others 100 --jobs 1 --output docs/validation.md

reliability: setup
	PYTHONPATH=src:tests:tests/helpers $(BIN)/python -m reliability --output docs/reliability.md

docs: setup
	$(BIN)/python -m rulealign.config.reference
	$(BIN)/python -m rulealign.report.docs_page.files_and_tables
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[docs]'
	$(BIN)/mkdocs build --strict --quiet
	@echo "Open site/index.html in a browser."

# not .snakemake: Snakemake's notes of what made the results
clean:
	rm -rf $(VENV)
