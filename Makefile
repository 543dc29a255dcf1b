# What a person types. `make install` needs Python 3.11 or 3.12 with its headers and a C compiler
# (3.13 and later run without the durable_rules matcher, and need neither).
.DEFAULT_GOAL := help
.PHONY: help install serve test bench lint check locks clean

BIN := .venv/bin
STAMP := .venv/installed
LOCKS := requirements.lock requirements-dev.lock requirements-build.lock

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_ROOT_USER_ACTION := ignore
export PIP_NO_INPUT := 1
# -qq: nothing but errors. --no-deps: the locks name everything; asked for by its extras, pip would look past them
# for the newest.
PIP := $(BIN)/python -m pip install -qq --no-deps --require-hashes --only-binary :all: --no-binary durable-rules --no-build-isolation

help:
	@echo 'make install  安装到 .venv / install into .venv'
	@echo 'make serve    启动服务 / run the service'
	@echo 'make test     运行全部测试 / run every test'
	@echo 'make bench    性能测量 / measure'
	@echo 'make lint     静态检查 / lint and type-check'
	@echo 'make check    lint + test'

install: $(STAMP)
	@:

# PYTHON, or the first of these that is 3.11 or 3.12, or else the first that is newer.
$(STAMP): pyproject.toml requirements.in $(LOCKS) Makefile
	@say() { echo "jikao: $$1" >&2; exit 1; }; \
	python=; \
	for wanted in '(3, 11) <= v <= (3, 12)' 'v >= (3, 13)'; do \
		for name in $(or $(PYTHON),python3 python3.12 python3.11 /usr/bin/python3 python3.13 python3.14); do \
			if "$$name" -c "import sys; v = sys.version_info[:2]; sys.exit(not ($$wanted))" >/dev/null 2>&1; then python=$$name; break 2; fi; \
		done; \
	done; \
	test -n "$$python" || say '缺少 Python 3.11 或 3.12 / Python 3.11 or 3.12 is missing: apt-get install python3 python3-venv python3-dev gcc'; \
	version=$$("$$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])'); \
	"$$python" -c 'import venv, ensurepip' 2>/dev/null || say "缺少 venv 模块 / Python's venv module is missing: apt-get install python$$version-venv"; \
	case $$version in 3.11|3.12) \
		"$$python" -c 'import os, sys, sysconfig; sys.exit(not os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")))' \
			|| say "缺少 Python 头文件 / Python's headers are missing: apt-get install python$$version-dev"; \
		compiler=$$("$$python" -c 'import sysconfig; print((sysconfig.get_config_var("CC") or "cc").split()[0])'); \
		command -v "$${CC:-$$compiler}" >/dev/null || say "缺少 C 编译器 / a C compiler is missing ($${CC:-$$compiler}): apt-get install gcc libc6-dev";; \
	*) echo "jikao: Python $$version: durable_rules 不支持，只用 direct 匹配器 / not supported by durable_rules, the direct matcher runs alone" >&2;; \
	esac; \
	echo "jikao: 正在安装（Python $$version，约一分钟）/ installing with Python $$version, about a minute"; \
	test -x $(BIN)/python && test "$$($(BIN)/python -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)" = "$$version" \
		|| "$$python" -m venv --clear .venv
	@$(PIP) -r requirements-build.lock
	@$(PIP) -r requirements.lock -r requirements-dev.lock
	@$(BIN)/python -m pip install -qq --no-deps --no-build-isolation -e .
	@$(BIN)/python -m pip check -q
	@touch $@

serve: install
	@exec $(BIN)/jikao serve

test: install
	@sh tests/browser_setup.sh
	@$(BIN)/python -m pytest -n auto -m "not browser"
	@$(BIN)/python -m pytest -m browser

bench: install
	@$(BIN)/python -m bench

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: lint test

# Exact versions with hashes, for every supported Python at once; no index address is written.
UV := uv pip compile --quiet --no-config --universal --python-version 3.11 --generate-hashes \
	--no-header --no-emit-index-url --no-emit-find-links --annotation-style line
locks:
	$(UV) requirements.in --output-file requirements.lock
	$(UV) requirements-dev.in --constraints requirements.lock --output-file requirements-dev.lock
	$(UV) requirements-build.in --output-file requirements-build.lock

clean:
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
