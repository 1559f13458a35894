# Two targets for a newcomer, `make demo` and `make test`; the rest for those who change the code.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ORACLES := .venv-oracles
STAMPS := .stamps
PIP := install -qq --disable-pip-version-check --constraint constraints.txt

.PHONY: help demo test setup lint types docs pictures bench oracles wheel clean

help:  ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(STAMPS)/setup  ## .venv with egregium and everything for development

$(STAMPS)/setup: pyproject.toml constraints.txt
	@test -x $(BIN)/python || { echo "Making $(VENV) and installing; the first time takes a minute or two."; $(PYTHON) -m venv $(VENV); }
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "egregium needs Python 3.11 or newer; run: make PYTHON=python3.11"; exit 1; }
	@$(BIN)/pip $(PIP) --editable '.[dev]'
	@mkdir -p $(STAMPS) && touch $@

demo: $(STAMPS)/setup  ## train a small network, measure it, write a page
	@$(BIN)/egregium demo --out egregium-demo --force

test: $(STAMPS)/setup oracles  ## all tests
	@OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 -m 'not oracle' tests
	@$(ORACLES)/bin/python -m pytest --confcutdir=tests tests/oracles

oracles: $(STAMPS)/oracles  ## an environment of their own for the libraries we compare with

$(STAMPS)/oracles: pyproject.toml constraints-oracles.txt
	@test -x $(ORACLES)/bin/python || { echo "Making $(ORACLES), the libraries that tests compare with (1.5 GB)."; $(PYTHON) -m venv $(ORACLES); }
	@$(ORACLES)/bin/pip install -qq --disable-pip-version-check --constraint constraints-oracles.txt \
	  curvlinops-for-pytorch hessian-eigenthings geomstats autograd pytest hypothesis scikit-learn --editable .
	@mkdir -p $(STAMPS) && touch $@

lint: $(STAMPS)/setup  ## ruff and import-linter
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/lint-imports --no-cache

types: $(STAMPS)/setup  ## mypy, strict
	@$(BIN)/mypy

docs: $(STAMPS)/setup  ## every doctest and every code block of README and docs
	@OMP_NUM_THREADS=1 $(BIN)/pytest --doctest-modules src README.md docs

pictures: demo  ## draw the figures of docs/geometry.md and the README again
	@PICTURES=$(CURDIR)/docs/images $(BIN)/pytest -q docs/geometry.md
	@$(BIN)/python docs/pictures.py egregium-demo/report.html docs/images

bench: $(STAMPS)/setup  ## benchmarks (PARTS="products accuracy coverage weighting")
	@$(BIN)/python -m bench $(PARTS)

clean:  ## everything that was made
	rm -rf $(VENV) $(ORACLES) $(STAMPS) egregium-demo dist
