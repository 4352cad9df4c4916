# Everything from nothing with a plain python3 (3.11 or later): `make demo`, `make test`. PYTHON names another one.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
# What a user runs needs requirements.lock alone; what a developer runs, requirements-dev.lock, which contains it.
RUNTIME := .venv/runtime.stamp
DEVELOPER := .venv/developer.stamp

.PHONY: demo test bench soak check venv graphiql lock clean
.DELETE_ON_ERROR:

demo: $(RUNTIME) graphiql
	@exec $(BIN)/credithub demo

# In four processes, each with servers of its own, for a test often waits for another process; then by themselves those
# that measure time.
test: $(DEVELOPER) graphiql
	@without=""; \
	if ! $(BIN)/python -c "from tests.chromium import find_chromium; find_chromium()" 2>/dev/null; then \
	  echo "Chromium is not installed: the tests in a browser are left out (Debian: apt-get install chromium)."; \
	  without="and not browser"; \
	fi; \
	$(BIN)/python -m pytest -m "not soak and not alone $$without" -n 4 --dist loadfile --no-loadscope-reorder && \
	$(BIN)/python -m pytest -m "alone and not soak $$without"

bench: $(DEVELOPER)
	@$(BIN)/python -m benchmarks

# The properties of many more documents than `make test` has time for.
soak: $(DEVELOPER)
	@$(BIN)/python -m pytest -m soak -n 2

check: $(DEVELOPER)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

venv: $(DEVELOPER)

# Builds the page's assets when they are missing or old; without npm it says so, and everything else works.
graphiql: $(RUNTIME)
	@$(BIN)/python -m hub.graphiql.build || echo "GraphiQL is left out; everything else works without it." >&2

# Renews both locks from pyproject.toml; needs uv.
lock:
	uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-header --upgrade --quiet --output-file requirements.lock
	uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-header --upgrade --quiet --constraint requirements.lock \
	  --output-file requirements-dev.lock

# Also the data of the demo, which root may keep elsewhere: var/postgres is then a link. Stop the demo first.
clean:
	@if [ -L var/postgres ]; then rm -rf "$$(readlink -f var/postgres)"; fi
	rm -rf .venv var build *.egg-info hub/graphiql/assets \
	  .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find hub schema connectors migrations tests benchmarks -name __pycache__ -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or later is needed; set PYTHON=... to name one ($(PYTHON): $$($(PYTHON) --version 2>&1))." >&2; exit 1; }
	@$(PYTHON) -m venv .venv || \
	  { rm -rf .venv; echo "$(PYTHON) -m venv failed (Debian: apt-get install python3-venv)." >&2; exit 1; }

$(RUNTIME): requirements.lock pyproject.toml | $(BIN)/python
	@echo "Installing the packages of requirements.lock ..."
	@$(PIP) install --quiet --require-hashes --requirement requirements.lock
	@$(PIP) install --quiet --no-deps --editable .
	@touch $@

$(DEVELOPER): requirements-dev.lock $(RUNTIME) | $(BIN)/python
	@echo "Installing the packages of requirements-dev.lock ..."
	@$(PIP) install --quiet --require-hashes --requirement requirements-dev.lock
	@touch $@
