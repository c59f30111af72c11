# `make help` lists what there is. Everything Python goes into .venv; PYTHON=... picks another one.
PYTHON ?= $(shell sh .ci/find-python)
VENV := .venv
BIN := $(VENV)/bin
PLAYER := $(VENV)/.installed-play
TRAINING := $(VENV)/.installed-train
INSTALLED := $(VENV)/.installed
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --editable
PYTEST := $(BIN)/python -m pytest
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help play train-setup test quick coverage lint type docs bench clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

play: $(PLAYER) ## play the default kit and pattern, evolving (ARGS="--tempo 96" adds options)
	@$(BIN)/gan808 run $(ARGS)

train-setup: $(TRAINING) ## install what training takes beside (TensorFlow: about 2 GB more)

test: $(INSTALLED) ## the whole suite, JACK included (ARGS="tests/engine -x" narrows it)
	@sh .ci/system-packages test
	@$(PYTEST) -n 2 --dist worksteal $(ARGS)

quick: $(INSTALLED) ## only files of tests that start no program and train nothing
	@$(PYTEST) -n 2 --dist worksteal --quick $(ARGS)

coverage: $(INSTALLED) ## the suite, and which lines it never reached, in build/coverage
	@$(PYTEST) -n 2 --dist worksteal --cov=gan808 --cov=training \
		--cov-report=term:skip-covered --cov-report=html:build/coverage $(ARGS)

lint: type ## ruff and mypy
	@$(BIN)/ruff check

type: $(INSTALLED) ## mypy alone
	@$(BIN)/mypy

docs: $(INSTALLED) ## the reference of gan808.sound and training from their docstrings, in build/docs
	@$(BIN)/pdoc --output-directory build/docs gan808.sound training

bench: $(INSTALLED) ## every benchmark in benchmarks/, one after the other
	@set -e; for file in benchmarks/*.py; do echo "== $$file"; $(BIN)/python "$$file"; done

clean: ## remove .venv, caches and build products
	@rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(PLAYER): pyproject.toml
	@sh .ci/system-packages play
	@echo "setting up $(VENV): about 0.6 GB of libraries, about a minute the first time"
	@"$(PYTHON)" -m venv $(VENV)
	@$(PIP) '.[announce]'
	@touch $@

$(TRAINING): $(PLAYER)
	@echo "adding what training takes: about 2 GB of libraries, some minutes"
	@$(PIP) '.[announce,train,soundfont]'
	@touch $@

$(INSTALLED): $(TRAINING)
	@echo "adding what the tests take"
	@$(PIP) '.[announce,dev,jax,soundfont,train]'
	@touch $@
