.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
BIN := .venv/bin
# With byte code, a process starts in four fifths of the time, and the sandbox compiles no workflow
# for each of its runs.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help
help: ## Show this list
	@grep -hE '^[.a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

.PHONY: demo
demo: .venv/ready ## Play referrals from click to reward on a stack of their own, and check the results
	$(BIN)/referrals demo

.PHONY: up
up: .venv/ready ## Run the whole system here until Ctrl-C
	$(BIN)/referrals up

.PHONY: test
test: .venv/ready ## Run the tests
	$(BIN)/pytest -q -n $(TEST_PROCESSES) --dist worksteal --reruns $(TEST_RERUNS) $(RERUN)
TEST_PROCESSES ?= 3
TEST_RERUNS ?= 1
RERUN := --max-suite-reruns 6 --rerun-exclude-path tests/domain --rerun-show-tracebacks

.PHONY: check
check: .venv/ready ## Everything that defines clean: style, types, imports, migrations, tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/lint-imports
	$(BIN)/python -m stack.schema_check
	@$(MAKE) --no-print-directory test

.PHONY: audit
audit: .venv/ready ## Look up known vulnerabilities of what is pinned, where the registry tells them
	$(BIN)/python -m tests.audit

.PHONY: format
format: .venv/ready ## Put code in the house's format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: lock
lock: ## Pin all requirements anew (needs uv)
	uv pip compile $(COMPILE) --all-extras pyproject.toml -o requirements.lock
	uv pip compile $(COMPILE) --extra tracing --extra warehouse -c requirements.lock pyproject.toml -o requirements-production.lock
COMPILE := --quiet --generate-hashes --universal --python-version 3.11 --no-emit-index-url \
	--custom-compile-command "make lock"

.PHONY: clean
clean: ## Remove the environment, caches and the state of the embedded stack
	@[ ! -e .venv/ready ] || $(BIN)/python -m stack.clean
	rm -rf build client/build *.egg-info client/*.egg-info
	rm -rf .venv .stack .stack-demo .mypy_cache .pytest_cache .ruff_cache .hypothesis .artefacts

.PHONY: .venv
.venv: .venv/ready ## Install everything, pinned, into .venv

.venv/ready: requirements.lock pyproject.toml
	@python=$$(for name in python3.13 python3.12 python3.11 python3; do \
	    $$name -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' \
	      2>/dev/null && echo $$name && break; done); \
	  [ -n "$$python" ] || { echo 'Python 3.11, 3.12 or 3.13 with venv is needed' >&2; exit 1; }; \
	  echo "setting up .venv with $$python"; $$python -m venv --clear .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	$(BIN)/python -m compileall -q -x '^\./(\.|tests/)' .
	@touch $@
