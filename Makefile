# `make run` and `make test` do everything, set-up included.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
# Compiled modules are kept, whatever the environment says: tests start many processes.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: run test test-fast check dist docs reference lock smoke simulate cluster chaos fuzz clean

run: $(STAMP)            ## sweep the embedded demo store, compare, segment
	$(BIN)/retain -m study=demo
	$(BIN)/retain-compare study=demo

test: $(STAMP)           ## every test; with PYTEST_ADDOPTS=--cov also the coverage
	$(BIN)/python -m pytest -n 2 --dist=worksteal

test-fast: $(STAMP)      ## the tests that need no worker processes, browser or cluster
	$(BIN)/python -m pytest -n 2 --dist=worksteal -m "not slow and not browser and not spark and not cluster"

check: $(STAMP)          ## lint, format, types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

dist: $(STAMP)           ## the wheel and the archive of the source, in dist/
	$(BIN)/python -m hatchling build --clean

docs: reference $(VENV)/.docs outputs/demo/verdict/report.html ## build the site into docs/_build/html, warnings as errors
	$(BIN)/python docs/make_images.py outputs/demo/verdict
	rm -rf docs/_build docs/examples docs/reference/api docs/gallery/outputs
	$(BIN)/python -m sphinx --quiet --fail-on-warning --keep-going -c docs -d docs/_build/doctrees . docs/_build/html

reference: $(STAMP)      ## renew what docs/reference has from the package: keys, documents, schemas, checks
	$(BIN)/python docs/make_reference.py

outputs/demo/verdict/report.html: | $(STAMP)
	$(MAKE) run

smoke: $(STAMP)          ## what CI sweeps and segments
	$(BIN)/retain -m study=smoke
	$(BIN)/retain-compare study=smoke segmentation=risk_value

simulate: $(STAMP)       ## how often tests and intervals are right; figures in experiments/statistics
	$(BIN)/python experiments/statistics/equal_models.py
	$(BIN)/python experiments/statistics/readout.py --write
	$(BIN)/python experiments/statistics/selection.py --csv experiments/statistics/selection.csv
	$(BIN)/python experiments/statistics/sealed_test.py --csv experiments/statistics/sealed_test.csv
	$(BIN)/python experiments/statistics/segments.py --out experiments/statistics/segments.csv
	$(BIN)/python experiments/statistics/calibration.py --out experiments/statistics/calibration.csv
	$(BIN)/python experiments/statistics/label.py --out experiments/statistics/label.csv
	$(BIN)/python experiments/statistics/looks.py --out experiments/statistics/looks.csv
	$(BIN)/python experiments/statistics/effects.py --csv experiments/statistics/effects.csv
	$(BIN)/python experiments/statistics/trials.py --out experiments/statistics/trials.csv
	$(BIN)/python experiments/statistics/control.py --out experiments/statistics/control.csv
	$(BIN)/python experiments/statistics/subgroups.py --out experiments/statistics/subgroups.csv
	$(BIN)/python experiments/statistics/trees.py --csv experiments/statistics/trees.csv

chaos: $(STAMP)          ## kill and crowd the commands that write a verdict; counts in experiments/chaos
	$(BIN)/python experiments/chaos/verdicts.py

fuzz: $(STAMP)           ## give every reader hostile inputs, and verdicts that were changed; counts in experiments/fuzz
	$(BIN)/python experiments/fuzz/readers.py
	$(BIN)/python experiments/fuzz/verification.py

cluster: $(VENV)/.cluster ## add what hydra/launcher=submitit_slurm and =ray and data.engine=spark need (830 MB), and the benchmark

lock:                    ## renew requirements.lock, and in step those of clusters and docs (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-annotate \
	  --custom-compile-command "make lock" --extra excel --extra sql --extra databases --extra tune --extra track --extra dashboard --extra test --extra check -o requirements.lock pyproject.toml
	$(call lock-beside,cluster,slurm ray spark bench)
	$(call lock-beside,docs,docs)

# $(1): the lock's name; $(2): its extras, resolved alone with the versions of requirements.lock
define lock-beside
$(PYTHON) -c 'import sys, tomllib; extras = tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]; print(*(line for name in sys.argv[1:] for line in extras[name]), sep="\n")' $(2) | \
  uv pip compile --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-annotate --no-emit-index-url \
  --custom-compile-command "make lock" --constraints requirements.lock -o requirements-$(1).lock -
endef

clean:                   ## forget the environment; outputs/ stays
	rm -rf $(VENV)

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(None if (3, 11) <= v <= (3, 13) else f"retain needs Python 3.11 to 3.13, found {v[0]}.{v[1]}: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@$(BIN)/python -c 'import lightgbm' 2>/dev/null || { \
	  echo "LightGBM cannot load: the system library libgomp1 is missing (Debian: apt-get install libgomp1)"; exit 2; }
	@touch $(STAMP)

$(VENV)/.cluster $(VENV)/.docs: $(VENV)/.%: requirements-%.lock $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@
