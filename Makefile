# `make help` lists what there is. Everything Python goes into .venv; PYTHON=... picks another one.
PYTHON ?= $(shell sh .ci/find-python)
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help play test lint type bench clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-6s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

play: $(INSTALLED) ## play the default kit and pattern, evolving (ARGS="--tempo 96" adds options)
	@$(BIN)/gan808 run $(ARGS)

test: $(INSTALLED) ## the whole suite, JACK included (ARGS="tests/engine -x" narrows it)
	@sh .ci/system-packages test
	@$(BIN)/python -m pytest -n 2 --dist loadfile $(ARGS)

lint: type ## ruff and mypy
	@$(BIN)/ruff check

type: $(INSTALLED) ## mypy alone
	@$(BIN)/mypy

bench: $(INSTALLED) ## every benchmark in benchmarks/, one after the other
	@set -e; for file in benchmarks/*.py; do echo "== $$file"; $(BIN)/python "$$file"; done

clean: ## remove .venv, caches and build products
	@rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(INSTALLED): pyproject.toml
	@sh .ci/system-packages play
	@echo "setting up $(VENV): about 3 GB of libraries, some minutes the first time"
	@"$(PYTHON)" -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[announce,dev,jax,soundfont]'
	@touch $@
