# Two commands do everything on a machine that has Python (3.11 or newer), make and a package index: `make demo` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
OUT ?= out/demo
# Options of the demonstration, such as DEMO='--port 8700 --no-browser'.
DEMO ?=

.PHONY: demo test check bench docs clean

demo: $(READY)
	$(BIN)/tonne demo --out $(OUT) $(DEMO)

test: $(READY) check
	$(BIN)/python -m pytest -n 2 --dist loadfile

check: $(READY)
	$(BIN)/ruff check src tests benchmarks
	$(BIN)/ruff format --check -q src tests benchmarks
	$(BIN)/mypy

bench: $(READY)
	$(BIN)/python -m benchmarks

$(READY): pyproject.toml setup.py constraints.txt src/tonne/interfaces/web/npm/package-lock.json
	$(PYTHON) -c 'import sys; sys.exit("tonne needs Python 3.11 or newer, this is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[server,simulation,dev]'
	@touch $@

# What is printed from the law: a page for each system, the list of gaps.
docs: $(READY)
	rm -rf docs/systems
	$(BIN)/tonne pages docs/systems
	$(BIN)/python tests/rulebooks/gaps_page.py

clean:
	rm -rf $(VENV) out build dist
