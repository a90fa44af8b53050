# Cảnh Giác. `make help` lists the targets; `make serve` and `make test` install what they need.

PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 8000
BASE ?= compact

BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.DEFAULT_GOAL := help
.PHONY: help serve label train corpus bench torture test lint types clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

serve: .venv/serve ## install the serving floor and start the service on 127.0.0.1:8000
	@exec $(BIN)/canhgiac serve --host $(HOST) --port $(PORT)

label: .venv/serve ## label the messages that wait for review, on the running service
	@exec $(BIN)/canhgiac label --server http://$(HOST):$(PORT)

train: .venv/dev ## train on corpus and labels, evaluate, gate (BASE=compact, a hub name or a folder)
	@exec $(BIN)/canhgiac train --base "$(BASE)"

corpus: .venv/dev ## print the data card anew, count the corpus and check it
	$(BIN)/canhgiac corpus card
	$(BIN)/canhgiac corpus stats
	$(BIN)/canhgiac corpus check

bench: .venv/dev ## measure the service beside a PhoBERT-sized one and a plain one (QUICK=1: a minute)
	@exec $(BIN)/python -m tests.bench.bench $(if $(QUICK),--quick)

test: lint types ## install everything, then run lint, strict types and every test
	$(BIN)/python -m pytest

torture: .venv/dev ## attack the real service, bounded in time (ONLY=leaks for one check, QUICK=1 for a tenth)
	$(BIN)/python -m tests.torture.torture $(if $(QUICK),--quick) $(if $(ONLY),--only $(ONLY))

lint: .venv/dev ## check style, the Kubernetes manifest and what is installed for known vulnerabilities
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/kubernetes-validate --strict --quiet serving/kubernetes.yaml
	$(BIN)/python tests/audit.py

types: .venv/dev ## check types, strictly
	$(BIN)/mypy

clean: ## remove the environment and caches; the state folder var/ stays
	rm -rf .venv dist .mypy_cache .pytest_cache .ruff_cache .hypothesis

.venv/serve: pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing the serving floor (once) ..."
	@$(PIP) --editable '.[serve]'
	@touch $@

.venv/dev: pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing everything that training and tests need (once, a few minutes) ..."
	@$(PIP) torch
	@$(PIP) --editable '.[dev]'
	@touch $@ .venv/serve
