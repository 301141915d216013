# 邻里 Linli. `make` alone lists what can be done; the words after ## are that list.
# Everything installed lands in .venv (Python) or comes from Debian's own packages; linli/install.sh says which.

.DEFAULT_GOAL := help
.PHONY: help run test check lint units bench campaign pictures lock clean

PYTHON ?= python3
export PYTHON
# Some containers forbid Python to keep what it has compiled: then each of the tests' some hundred processes, and each
# start of a hall, compiles this project anew.
unexport PYTHONDONTWRITEBYTECODE

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## install what is missing and start the whole hall with virtual devices (Ctrl-C ends it)
	@sh linli/install.sh run
	@LINLI_STOP_WITH_PARENT=$$PPID exec .venv/bin/linli run

test: ## install what the tests need, a browser included; then ruff, mypy and pytest
	@sh linli/install.sh test
	.venv/bin/ruff check .
	@$(MAKE) --no-print-directory -k -j 2 types stories; all=$$?; echo "mypy:"; cat .venv/.types; exit $$all

check: ## ruff and mypy alone (after one `make test`)
	.venv/bin/ruff check .
	.venv/bin/mypy

# mypy takes its quarter of a minute beside the stories, and its words stand below theirs. They are compiled first, once,
# and not by each of pytest's four processes; what is wrong with them pytest says itself.
.PHONY: types stories
types:
	@.venv/bin/mypy >.venv/.types 2>&1
stories:
	@.venv/bin/python -m pytest --collect-only -qq >.venv/.compiled 2>&1 || true
	.venv/bin/python -m pytest -n 4 --dist worksteal -m "not long" $(ARGS)

lint: check

units: ## put the hall under systemd on this machine (in /opt/linli, as root; docs/operations.md)
	@sh linli/units.sh

bench: ## speed and size as p50/p99, with the machine named (docs/measurements.md)
	@sh linli/install.sh test
	.venv/bin/python -m tests.bench $(ARGS)

campaign: ## the long trials: kills, power cuts, units booted for real (minutes to hours, some need root)
	@sh linli/install.sh test
	.venv/bin/python -m tests.campaign $(ARGS)

pictures: ## make the README's pictures anew from a running hall
	@sh linli/install.sh test
	.venv/bin/python -m tests.pictures $(ARGS)

lock: ## make the lock files anew from requirements*.in (for developers; needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-annotate --quiet --upgrade requirements.in -o requirements.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-annotate --quiet --upgrade requirements-dev.in -o requirements-dev.lock

clean: ## remove .venv and caches; the hall's data in var/ stays
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info build
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
