# `make` alone lists what can be done. Everything sets itself up: Python 3.11+, make and git are enough.
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
UV_VERSION := 0.13.9
JAVA := $(shell command -v java)
LOCKS := requirements.lock requirements-model.lock $(if $(JAVA),requirements-spark.lock)
SERVICES := chromium fonts-liberation pgbouncer redis-server prometheus prometheus-alertmanager
PYTEST := $(BIN)/python -m pytest -n 2 --durations=15

.DEFAULT_GOAL := help
.PHONY: help setup services connector demo cluster-demo test test-quick test-spark test-cluster test-platforms test-consumers test-recbole soak soak-year bench bench-check bench-growth bench-profile bench-nearest bench-exports lint format docs docs-site pictures lock sbom audit clean

help: ## list what can be done
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

setup: .venv/installed ## install everything into .venv, as pinned in the lock files

.venv/installed: $(LOCKS) pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; name one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	$(BIN)/uv pip sync --quiet --require-hashes --compile-bytecode $(LOCKS)
	@$(BIN)/uv pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

services: ## install the Debian packages that some tests start (as root); without them those tests are skipped
	@dpkg --status $(SERVICES) >/dev/null 2>&1 || \
	  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends $(SERVICES) >/dev/null; }

CONNECTOR := deploy/spark/connector/pom.xml
OF_SPARK := io.netty,org.slf4j,commons-codec,commons-logging

.venv-connector/installed: $(CONNECTOR)
	@rm -rf .venv-connector
	@mvn --quiet --batch-mode --file $(CONNECTOR) dependency:copy-dependencies \
	  -DoutputDirectory=$(CURDIR)/.venv-connector -DexcludeGroupIds=$(OF_SPARK)
	@touch $@

connector: .venv-connector/installed ## fetch the jars with which Spark uses S3 (needs Maven); without them tests of that are skipped

demo: .venv/installed ## start PostgreSQL with a real shop and Airflow, and publish every dataset (Ctrl-C ends it)
	@$(BIN)/shopmill demo $(DEMO)

cluster-demo: .venv/installed ## the same on Celery workers with Redis and S3; one worker is killed in mid-task
	@$(BIN)/shopmill demo --cluster $(DEMO)

test: .venv/installed ## run every test but those of test-platforms; those of Spark only where there is Java
	$(PYTEST) -m "not npm$(if $(JAVA),, and not spark)" $(TESTS)

test-quick: .venv/installed ## run the tests that need neither a scheduler nor Spark
	$(PYTEST) -m "not airflow and not spark and not npm" $(TESTS)

test-spark: .venv/installed ## run the tests of the Spark engine, with every golden case (needs Java 17)
	@test -n "$(JAVA)" || { echo "Java is not installed: the Spark engine needs Java 17."; exit 1; }
	SHOPMILL_TEST_SPARK=all $(PYTEST) -m spark $(TESTS)

test-cluster: .venv/installed .venv-connector/installed ## run every dataset on a Spark cluster that shares nothing but S3, and kill a worker (as root, minutes)
	SHOPMILL_TEST_CLUSTER=1 $(BIN)/python -m pytest -p no:xdist -s tests/engine/test_spark_apart.py $(TESTS)

test-platforms: .venv/installed ## place orders in Medusa and Vendure, from their npm packages, and compare every total (minutes)
	$(BIN)/python -m pytest -p no:xdist -m npm tests/platforms $(TESTS)

test-consumers: .venv/installed ## prove the exports in the libraries that load them, each in an environment of its own
	@tests/consumers/run.sh

test-recbole: .venv/installed ## the same for RecBole, which needs torch: some gigabytes
	@RECBOLE=1 tests/consumers/run.sh

SCALES ?= 0.03 0.1 0.3

bench-growth: .venv/installed ## measure how the time of a full build grows with the shop, and write that into docs/performance.md (SCALES="0.1 1.0")
	$(BIN)/python -m benchmarks.growth --write $(SCALES:%=--scale %) $(if $(FOLDER),--folder $(FOLDER))

bench-profile: .venv/installed ## show where the time of full builds goes, and write that into docs/performance.md (SCALE=1.0)
	$(BIN)/python -m benchmarks.profiles --write $(if $(filter command line,$(origin SCALE)),--scale $(SCALE)) $(if $(FOLDER),--folder $(FOLDER))

bench-nearest: .venv-bench/installed ## measure the search for nearest vectors beside its rivals, and write that into docs/text.md (VECTORS="1000 10000")
	$(BIN)/python -m benchmarks.nearest --write $(VECTORS:%=--vectors %) $(if $(FOLDER),--folder $(FOLDER))

bench-exports: .venv/installed ## export 31.8 million rows, and measure the memory that each export takes; after test-consumers
	@.venv-consumers/bin/python tests/consumers/large.py .shopmill/consumers/large $(EXPORTS)
	@$(BIN)/python tests/consumers/table.py .shopmill/consumers/large/exports.jsonl $(if $(WRITE),--write)

SEED ?= 1
SEEDS ?= 1
DAYS ?= 14
STORE ?= folder

soak: .venv/installed ## all datasets for DAYS simulated days with faults by chance, and nothing may be lost (SEED=1 SEEDS=1 DAYS=14 STORE=folder or s3)
	@PYTHONPATH=tests:tests/datasets $(BIN)/python -m soak --seed $(SEED) --seeds $(SEEDS) --days $(DAYS) --store $(STORE)

VERSIONS ?= 2000

soak-year: .venv/installed ## what commands take in a store of VERSIONS versions, one each quarter of an hour (VERSIONS=2000 READS=--reads-only)
	@PYTHONPATH=tests:tests/datasets $(BIN)/python -m soak.year --versions $(VERSIONS) $(READS)

SCALE ?= 0.1
BENCH := $(BIN)/python -m benchmarks --scale $(SCALE) $(if $(FOLDER),--folder $(FOLDER))

.venv-bench/installed: requirements-bench.lock .venv/installed
	@test -x .venv-bench/bin/python || $(PYTHON) -m venv --without-pip .venv-bench
	@$(BIN)/uv pip sync --quiet --python .venv-bench/bin/python --require-hashes requirements-bench.lock
	@touch $@

bench: .venv-bench/installed ## measure every stage beside its rivals, and write that into docs/performance.md (SCALE=1.0: H&M's size)
	$(BENCH) --write

bench-check: .venv-bench/installed ## measure again, and fail where a ratio is 20 % worse than the committed one
	$(BENCH) --check

lint: .venv/installed ## check style, types, layers and that generated docs are fresh
	$(BIN)/ruff check --quiet
	$(BIN)/ruff format --check --quiet
	$(BIN)/mypy --no-error-summary
	$(BIN)/python -m pytest -p no:xdist -q tests/test_layers.py
	$(BIN)/shopmill docs --check

format: .venv/installed ## put the code into its one format
	$(BIN)/ruff check --fix --quiet
	$(BIN)/ruff format --quiet

docs: .venv/installed ## write docs/datasets/ and docs/reference/ from the code
	$(BIN)/shopmill docs

docs-site: .venv/installed requirements-docs.lock ## build the docs as a site in site/, with search; broken links fail
	@test -x .venv-docs/bin/python || $(PYTHON) -m venv .venv-docs
	@VIRTUAL_ENV=.venv-docs $(BIN)/uv pip sync --quiet --require-hashes requirements-docs.lock
	.venv-docs/bin/zensical build --clean
	$(BIN)/python docs/check_links.py site

pictures: .venv/installed ## draw docs/images/ while a demo runs in this folder (needs npm, Debian's chromium and fonts)
	@npm ci --silent --prefix docs/images
	$(BIN)/python docs/images/draw.py
	PICTURES_OF=$(CURDIR)/.shopmill/env $(BIN)/python -m pytest -p no:xdist -q tests/catalogue/test_pictures.py

lock: ## resolve the dependencies again and write the lock files, with hashes and without addresses
	$(BIN)/uv pip compile pyproject.toml --quiet --extra airflow --extra shops --extra text --group dev --universal --python-version 3.11 \
	  --generate-hashes --no-header --output-file requirements.lock
	$(BIN)/uv pip compile pyproject.toml --quiet --extra spark --universal --python-version 3.11 --constraint requirements.lock \
	  --generate-hashes --no-header --output-file requirements-spark.lock
	$(BIN)/uv pip compile tests/platforms/oscar/requirements.in --quiet --universal --python-version 3.11 \
	  --generate-hashes --no-header --output-file tests/platforms/oscar/requirements.lock
	echo 'zensical==0.0.73' | $(BIN)/uv pip compile - --quiet --universal --python-version 3.11 \
	  --generate-hashes --no-header --output-file requirements-docs.lock
	$(BIN)/uv pip compile benchmarks/requirements.in --quiet --universal --python-version 3.11 --constraint requirements.lock \
	  --generate-hashes --no-header --output-file requirements-bench.lock
	for name in requirements requirements-rectools requirements-recbole; do \
	  $(BIN)/uv pip compile pyproject.toml tests/consumers/$$name.in --quiet --extra shops --universal --python-version 3.11 \
	    --generate-hashes --no-header --output-file tests/consumers/$$name.lock; done
	for name in requirements-datacontract requirements-iceberg; do \
	  $(BIN)/uv pip compile tests/consumers/$$name.in --quiet --universal --python-version 3.11 \
	    --generate-hashes --no-header --output-file tests/consumers/$$name.lock; done

.venv-audit/installed: requirements-audit.lock .venv/installed
	@test -x .venv-audit/bin/python || $(PYTHON) -m venv --without-pip .venv-audit
	@$(BIN)/uv pip sync --quiet --python .venv-audit/bin/python --require-hashes requirements-audit.lock
	@touch $@

sbom: .venv-audit/installed ## write shopmill.cdx.json: every installed package, in CycloneDX
	.venv-audit/bin/cyclonedx-py environment --output-reproducible --pyproject pyproject.toml --output-file shopmill.cdx.json $(BIN)/python

audit: .venv-audit/installed ## look for known weaknesses of the pinned packages (needs a network)
	@for lock in $(LOCKS); do .venv-audit/bin/pip-audit --require-hashes --disable-pip --requirement $$lock || exit 1; done

clean: ## remove .venv and what the demo made
	rm -rf .venv .venv-* .shopmill
