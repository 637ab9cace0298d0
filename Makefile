# Everything a developer types. The first target that needs it makes .venv from the pinned requirements.

SHELL := /bin/sh
VENV := .venv
PYTHON := $(VENV)/bin/python
INSTALLED := $(VENV)/.installed
CODE := manage.py nexus accounts products classification workflows tests benchmarks

export NEXUS_ENVIRONMENT = development
# Tests start dozens of processes: with this set, each would compile the code again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test lint types openapi openapi-check deploy-check unit fuzz faults lock benchmark clean help
.DEFAULT_GOAL := help

help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1: \2/p' Makefile

run: $(INSTALLED) ## start everything on http://127.0.0.1:8000 (NEXUS_PORT=8001 for another port)
	@exec $(PYTHON) -m nexus.devserver

# One throw-away PostgreSQL and Redis for all of it; the data of `make run` is never touched.
test: $(INSTALLED) ## everything that must hold before a commit
	@$(PYTHON) -m nexus.devservices $(MAKE) --no-print-directory checks

# The short checks run beside that of types, which takes as long as all of them.
.PHONY: checks
checks:
	@$(MAKE) --no-print-directory -j2 types lint migrations-check deploy-check openapi-check
	@$(MAKE) --no-print-directory unit

lint: $(INSTALLED) ## style, formatting, and who may import whom
	$(VENV)/bin/ruff check $(CODE)
	$(VENV)/bin/ruff format --check $(CODE)
	$(VENV)/bin/lint-imports

types: $(INSTALLED) ## static types
	$(VENV)/bin/mypy $(CODE)

.PHONY: migrations-check
migrations-check: $(INSTALLED)
	$(PYTHON) manage.py makemigrations --check --dry-run

# The settings of production, with secrets that are thrown away.
deploy-check: $(INSTALLED)
	NEXUS_ENVIRONMENT=production ALLOWED_HOSTS=nexus.example.com \
	SECRET_KEY=$$($(PYTHON) -c "import secrets; print(secrets.token_urlsafe(64))") \
	DATABASE_URL=postgresql://nexus@127.0.0.1:5432/nexus REDIS_URL=redis://127.0.0.1:6379/0 \
	$(PYTHON) manage.py check --deploy --fail-level WARNING

openapi: $(INSTALLED) ## write docs/openapi.yaml
	$(PYTHON) manage.py spectacular --validate --fail-on-warn --file docs/openapi.yaml

openapi-check: $(INSTALLED)
	@$(PYTHON) manage.py spectacular --validate --fail-on-warn --file .nexus/openapi.yaml
	@diff -u docs/openapi.yaml .nexus/openapi.yaml || \
	{ echo "docs/openapi.yaml is not what the code says. Type: make openapi"; exit 1; }

unit: $(INSTALLED)
	$(VENV)/bin/pytest -n auto --maxprocesses 4

fuzz: $(INSTALLED) ## thousands of requests made up from the schema, for half an hour
	@$(PYTHON) -m nexus.devservices $(PYTHON) -m tests.fuzz

faults: $(INSTALLED) ## kill workers, Redis, PostgreSQL and the web server during work, and compare every row
	@$(PYTHON) -m nexus.devservices $(PYTHON) -m tests.faults
	@$(PYTHON) -m nexus.devservices $(VENV)/bin/pytest -m broker tests/faults

lock: $(INSTALLED) ## compile the requirements again, to the newest versions that fit together
	for name in requirements requirements-dev; do \
	  $(VENV)/bin/uv pip compile --upgrade --universal --python-version 3.11 --generate-hashes --no-header \
	    --no-emit-index-url --annotation-style line --quiet $$name.in -o $$name.txt || exit 1; \
	done

benchmark: $(INSTALLED) ## how fast it is on this machine
	$(PYTHON) -m benchmarks

clean: ## remove everything that was made here, the data of `make run` included
	rm -rf .venv .nexus .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .grimp_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Python 3.11 by its name, or whatever python3 is if it is a 3.11.
$(PYTHON):
	@python=$$(command -v python3.11 || command -v python3 || true); \
	if ! "$${python:-false}" -c "import sys; sys.exit(sys.version_info[:2] != (3, 11))" 2>/dev/null; then \
	  echo "Nexus needs Python 3.11, and neither python3.11 nor python3 is one. Install it and try again." >&2; \
	  exit 1; \
	fi; \
	"$$python" -m venv $(VENV) || { \
	  echo "Python cannot make a virtual environment. On Debian and Ubuntu: apt-get install python3-venv" >&2; \
	  rm -rf $(VENV); exit 1; }

$(INSTALLED): requirements.txt requirements-dev.txt | $(PYTHON)
	@echo "Installing the requirements into $(VENV) ..."
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --require-hashes \
	  -r requirements.txt -r requirements-dev.txt
	@touch $(INSTALLED)
