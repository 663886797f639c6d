# `make demo`, `make test` and `make install` are all that a newcomer needs; each creates .venv and installs into it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PHOTOS ?=

OLDEST := .venv-oldest
CLUSTER := .venv-cluster
ARCHIVE := .venv-archive

.DEFAULT_GOAL := help
.PHONY: help install demo test test-again test-shuffled test-oldest test-archive test-cluster docs reference class-index beginnings fuzz torture \
  check format lock locked audit bench-audit bench-curve bench-decide bench-dedupe bench-review bench-export bench-fetch bench-job \
  bench-scale bench-sources bench-stores bench-suspects bench-train clean

help:  ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo 'curator needs Python 3.11 or newer; try `make PYTHON=python3.12 …`.' >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
	  { echo 'Python has no venv module here. On Debian or Ubuntu: sudo apt install python3-venv' >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.installed-core: pyproject.toml | $(BIN)/python
	@echo 'Installing curator into $(VENV) (once) …'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.installed: pyproject.toml | $(BIN)/python
	@echo 'Installing curator into $(VENV) (once; TensorFlow is large) …'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[benchmark]'
	@touch $@ $(VENV)/.installed-core

$(VENV)/.installed-dev: pyproject.toml | $(BIN)/python
	@echo 'Installing curator and what its tests need into $(VENV) (once; TensorFlow is large) …'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev,benchmark]'
	@touch $@ $(VENV)/.installed $(VENV)/.installed-core

$(VENV)/.installed-docs: pyproject.toml | $(BIN)/python
	@echo 'Installing what the documentation is built with into $(VENV) (once) …'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[docs]'
	@touch $@ $(VENV)/.installed-core

install: $(VENV)/.installed-core  ## Install curator into .venv, without the packages for training
	@echo 'Installed. For the command curator in this shell: . $(BIN)/activate'

demo: $(VENV)/.installed  ## Do the whole job on a rendered world, no Internet needed (PHOTOS=DIR serves your photos)
	@$(BIN)/curator demo $(if $(PHOTOS),--photos '$(PHOTOS)')

test: $(VENV)/.installed-dev  ## Run all tests
	@$(BIN)/python -m pytest -n auto --dist worksteal

test-shuffled: $(VENV)/.installed-dev  ## Run tests in an order of chance (SEED=, TESTS=): none may need another
	@seed='$(or $(SEED),$(shell date +%s))'; echo "SEED=$$seed"; \
	  CURATOR_TEST_ORDER="$$seed" $(BIN)/python -m pytest -n auto --dist worksteal $(TESTS)

test-again:  ## Give up to three tests that failed beside others a second try, alone, and name what passes then
	@$(BIN)/python tests/again.py

$(OLDEST)/.installed: pyproject.toml Makefile | $(BIN)/python
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check 'uv>=0.9,<1'
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(OLDEST)
	@$(BIN)/uv pip install --quiet --python $(OLDEST)/bin/python --resolution lowest-direct \
	  --only-binary :all: --editable '.[embed,review,xlsx]' 'pytest>=8' 'hypothesis>=6.100'
	@touch $@

test-oldest: | $(BIN)/python  ## Run a telling part of the tests on the oldest versions that are allowed
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check 'uv>=0.9,<1'
	@if echo six | $(BIN)/uv pip compile --quiet - > /dev/null; then \
	  $(MAKE) --no-print-directory $(OLDEST)/.installed && \
	  $(OLDEST)/bin/python -m pytest -q tests/pipeline/test_golden.py tests/fetch/network/test_limits.py \
	    tests/observe/workers/test_pool.py tests/sources/test_own_tables.py tests/sources/test_budgets.py tests/review/test_server.py tests/cli/test_quick_start.py; \
	else echo 'uv reaches no index of packages here, so that the oldest versions are not tried.'; fi

$(ARCHIVE)/.installed:
	@$(PYTHON) -m venv $(ARCHIVE)
	@$(ARCHIVE)/bin/python -m pip install --quiet --disable-pip-version-check 'pywb>=2.8,<3' 'setuptools<81'
	@touch $@

test-archive: $(VENV)/.installed-dev $(ARCHIVE)/.installed  ## Try rescues on pywb, a web archive's server, in a venv of its own
	@CURATOR_PYWB=$(CURDIR)/$(ARCHIVE)/bin $(BIN)/python -m pytest -q tests/pipeline/test_rescue.py

$(CLUSTER)/.installed: pyproject.toml | $(VENV)/.installed-dev
	@$(PYTHON) -m venv $(CLUSTER)
	@$(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))' > "$$($(CLUSTER)/bin/python -c \
	  'import sysconfig; print(sysconfig.get_path("purelib"))')/beside.pth"
	@$(CLUSTER)/bin/python -m pip install --quiet --disable-pip-version-check 'ray>=2.50,<3' && touch $@ || \
	  echo 'Ray cannot be had here, so that its tests are skipped.'

test-cluster: $(CLUSTER)/.installed  ## Fetch and dedupe on three nodes of Ray, killed meanwhile (KILLS=, HASHES=, ROWS=)
	@CURATOR_CLUSTER_KILLS=$(or $(KILLS),2) CURATOR_CLUSTER_HASHES=$(or $(HASHES),1000000) \
	  CURATOR_CLUSTER_ROWS=$(or $(ROWS),20000) PYTHONPATH=$(CURDIR) $(CLUSTER)/bin/python -m pytest -q -rs tests/cluster

docs: $(VENV)/.installed-docs  ## Build the documentation into site/, which opens offline
	@$(BIN)/python docs/scripts/reference.py
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict
	@echo 'Open site/index.html'

reference: $(VENV)/.installed-core  ## Write the parts of the documentation that the code knows anew
	@$(BIN)/python docs/scripts/reference.py

class-index: $(VENV)/.installed-core  ## Make the words of `curator search` anew (OPEN_IMAGES=DIR IMAGENET=FILE WORDNET=DIR)
	@$(BIN)/python supply/class_index.py --open-images '$(OPEN_IMAGES)' --imagenet '$(IMAGENET)' --wordnet '$(WORDNET)'

beginnings:  ## Count keystrokes and seconds from a fresh clone to train/ and test/ (PHOTOS=DIR, VENV_AT=DIR)
	@$(PYTHON) tests/benchmarks/beginnings.py $(if $(PHOTOS),--photos '$(PHOTOS)') $(if $(VENV_AT),--venv '$(VENV_AT)')

fuzz: $(VENV)/.installed-dev  ## Try 50 times as many damaged pictures, tables, manifests and answers (TIMES=, SEED=)
	@CURATOR_FUZZ=$(or $(TIMES),50) CURATOR_FUZZ_SEED=$(or $(SEED),1000000) $(BIN)/python -m pytest -n auto tests/fuzz

torture: $(VENV)/.installed-dev  ## Attack it in the full size, for hours, and count (TIMES=, SEED=); `make test` tries a sample
	@rm -f .torture-counts
	@CURATOR_TORTURE=1 CURATOR_TORTURE_COUNTS=$(CURDIR)/.torture-counts CURATOR_FUZZ=$(or $(TIMES),50) \
	  CURATOR_FUZZ_SEED=$(or $(SEED),1000000) CURATOR_TEST_KILLS=$(or $(KILLS),100) \
	  $(BIN)/python -m pytest -n auto -m torture; status=$$?; \
	  CURATOR_TORTURE_COUNTS=$(CURDIR)/.torture-counts $(BIN)/python tests/fuzz/rounds.py; exit $$status

check: $(VENV)/.installed-dev  ## Check format, lint, types, the order of imports and the documentation
	@$(BIN)/ruff format --check curator tests docs/scripts supply
	@$(BIN)/ruff check curator tests docs/scripts supply
	@$(BIN)/mypy
	@$(BIN)/python -m pytest -q -n auto tests/test_layers.py tests/test_documentation.py tests/test_library.py \
	  tests/test_reasons.py tests/test_text.py tests/test_site.py tests/fetch/test_sql_in_one_place.py tests/sources/test_registry.py \
	  tests/export/test_registry.py tests/benchmark/test_registry.py

format: $(VENV)/.installed-dev  ## Format the code
	@$(BIN)/ruff format curator tests docs/scripts supply
	@$(BIN)/ruff check --fix curator tests docs/scripts supply

lock: $(BIN)/python  ## Write supply/ anew: the versions to develop with, and the wheel's bill of materials
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check 'uv>=0.9,<1'
	@$(BIN)/python supply/lock.py

locked: | $(BIN)/python  ## Install into .venv exactly what supply/requirements-dev.lock names, hashes checked
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r supply/requirements-dev.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $(VENV)/.installed $(VENV)/.installed-core $(VENV)/.installed-dev $(VENV)/.installed-docs

audit: $(BIN)/python  ## Ask for known vulnerabilities of what is locked; says so where no database can be asked
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check 'pip-audit>=2.10,<3'
	@$(BIN)/python supply/audit.py $(AUDIT)

bench-audit: $(VENV)/.installed-dev  ## Measure an audit of 100,000 images, and find 86 planted leaks (PHOTOS=DIR)
	@$(BIN)/python tests/benchmarks/bench_audit.py $(if $(PHOTOS),'$(PHOTOS)')

bench-curve: $(VENV)/.installed-dev  ## Count how often half of a learning curve foretells the whole (PHOTOS=DIR, TRIALS=)
	@$(BIN)/python tests/benchmarks/bench_curve.py '$(or $(PHOTOS),../shared/photos)' $(TRIALS)

bench-decide: $(VENV)/.installed-dev  ## Measure balance, split and placeholders on a million rows
	@$(BIN)/python tests/benchmarks/bench_decide.py

bench-dedupe: $(VENV)/.installed-dev  ## Measure hashing, what is found, and the search (SIZE=full: against all peers)
	@$(BIN)/python tests/benchmarks/bench_dedupe.py --size $(or $(SIZE),small) $(if $(PHOTOS),--photos '$(PHOTOS)')

bench-export: $(VENV)/.installed-dev  ## Measure the exports of 10,000 images against cp -r
	@$(BIN)/python tests/benchmarks/bench_export.py

bench-stores: $(VENV)/.installed-dev  ## Measure how fast images go into shards and come back
	@$(BIN)/python -m tests.benchmarks.bench_stores

bench-fetch: $(VENV)/.installed-dev  ## Measure the fetch against curl and three peers (SIZE=full: more)
	@$(BIN)/python tests/benchmarks/bench_fetch.py --size $(or $(SIZE),small) $(if $(PHOTOS),--photos '$(PHOTOS)')

bench-job: $(VENV)/.installed-dev  ## Find 50 swapped labels on the page as a person would, counting keys (PHOTOS=DIR, SEEDS=)
	@$(BIN)/python tests/benchmarks/bench_job.py --seeds $(or $(SEEDS),1) $(if $(PHOTOS),'$(PHOTOS)')

bench-review: $(VENV)/.installed-dev  ## Measure the review page over 100,000 rows in headless Chromium
	@$(BIN)/python tests/benchmarks/bench_review.py

bench-scale: $(VENV)/.installed-dev  ## Measure each stage over made-up catalogs on disk (ROWS="100000 1000000 10000000")
	@$(BIN)/python tests/benchmarks/bench_scale.py $(if $(ROWS),--rows $(ROWS))

bench-sources: $(VENV)/.installed-dev  ## Measure what listing a million rows takes with each source
	@$(BIN)/python tests/benchmarks/bench_sources.py

bench-suspects: $(VENV)/.installed-dev  ## Swap labels of photographs and count what is found (PHOTOS=DIR)
	@$(BIN)/python tests/benchmarks/bench_suspects.py $(if $(PHOTOS),'$(PHOTOS)')

bench-train: $(VENV)/.installed-dev  ## Measure training against the article's way
	@$(BIN)/python tests/benchmarks/bench_train.py

clean:  ## Remove .venv and caches; data sets stay
	rm -rf $(VENV) $(OLDEST) $(ARCHIVE) $(CLUSTER) build dist site .mypy_cache .ruff_cache .pytest_cache .hypothesis
