# Two commands on a fresh Debian 12 with git, make and python3 (with venv): `make run` and `make test`.

VENV := .venv
PYTHON := $(VENV)/bin/python
INSTALLED := $(VENV)/.installed
BENCHES := card_read embedded_postgres matching places propagation roster search gate

.DEFAULT_GOAL := help
.PHONY: help run test check check-types check-rest bench year lock vendor regulations demo-data clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 14

# --prompt names the environment; ensurepip is missing where Debian's python3-venv is.
$(INSTALLED): requirements.lock pyproject.toml
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo '需要 Python 3.11 或更高版本'; exit 1; }
	@python3 -c 'import ensurepip' || { echo '缺少 python3-venv；请先执行 apt-get install python3-venv'; exit 1; }
	@echo '正在安装依赖（第一次约一分钟）……'
	@test -x $(PYTHON) || python3 -m venv --prompt yikatong $(VENV)
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

vendor: $(INSTALLED) ## fetch and verify the browser libraries
	@$(PYTHON) -m yikatong.cli.main vendor

run: export YIKATONG_DEMO ?= true
run: vendor ## start everything: database, site, gate, worker, with a demo province
	@$(PYTHON) -m yikatong.cli.main run

# Three runs: a browser's event loop leaves none for others in its process, and killing needs a machine to itself.
# The last two read only the files that name their mark: to read all tests takes longer than ten of them.
marked = $$(grep -rl --include='test_*.py' 'mark\.$(1)' tests)
test: vendor ## every test; ARGS='tests/core -x' for some
	@scripts/install_browser
	@scripts/install_card_reader $(VENV)
ifdef ARGS
	@$(PYTHON) -m pytest $(ARGS)
else
	@$(PYTHON) -m pytest --numprocesses auto --dist loadfile -m "not browser and not faults"
	@$(PYTHON) -m pytest --numprocesses auto --dist worksteal -m "browser and not faults" $(call marked,browser)
	@$(PYTHON) -m pytest -m faults $(call marked,faults)
endif

# Types take as long as all the rest together: a core for each.
check: $(INSTALLED) ## format, lint, types, import contracts, migrations
	@$(MAKE) --no-print-directory --jobs 2 --output-sync --keep-going check-types check-rest

check-types:
	$(VENV)/bin/mypy

check-rest:
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/lint-imports
	DJANGO_SETTINGS_MODULE=yikatong.site.settings $(PYTHON) -W ignore::RuntimeWarning -m django makemigrations --check --dry-run

bench: vendor ## each promise against its limit, measured in the same run; results in bench/results
	@for one in $(BENCHES); do echo "== bench.$$one"; $(PYTHON) -m bench.$$one || failed=1; done; test -z "$$failed"

year: vendor ## a year of a city of 200,000 by the acts themselves, all invariants asked; ARGS='--holders 20000' for less
	@$(PYTHON) -m bench.year $(ARGS)

lock: ## pin every dependency, with the hashes of all platforms
	@scripts/lock $(PYTHON)

regulations: $(INSTALLED) ## write docs/regulations.md from the tests' marks
	@$(PYTHON) scripts/make_regulations.py

demo-data: vendor ## load the demo province into an empty database
	@$(PYTHON) -m yikatong.cli.main demo load

clean: ## remove the environment and caches; data in var/ is kept
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find src tests bench scripts -name __pycache__ -prune -exec rm -rf {} +
