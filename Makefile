# Everything a newcomer types. Needs Python >= 3.11, make and a package index, nothing else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# -P: the folder `kernels` must not hide the package of that name from libraries that mean it.
RUN := $(BIN)/python -P
# Bytecode beside the code: seats of a room may not write there, and would compile all that they import at each start.
COMPILE := $(BIN)/python -m compileall -q kernels notebooks templates usecases widgets workbench

# Most tests wait for kernels, servers and Slurm: four at a time keep two cores busy. They take up to 2 GB each: fewer
# where memory is short; TESTERS=0 runs one after the other.
TESTERS ?= 4

.PHONY: help install demo demo-all frontend test test-quick lint messages lab bench bench-kernels bench-runs bench-usecases bench-dashboards bench-courses clean

help:
	@echo "make install     make .venv with everything"
	@echo "make demo        one sector, from template through a gateway to a dashboard in your browser"
	@echo "make demo-all    the same for every sector, one after the other"
	@echo "make lab         JupyterLab with fresh copies of the templates"
	@echo "make test        all tests; test-quick leaves out the slow ones"
	@echo "make lint        ruff, mypy and notebooks without outputs"
	@echo "make messages    words of the pages into the catalogues of all languages; one more with NEW=it"
	@echo "make bench       measure us beside the stock tools; bench-kernels, -runs, -usecases, -dashboards, -courses: parts of it"

install: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is " + sys.version.split()[0] + ": make install PYTHON=python3.12")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[all,courses,test]"
	@$(COMPILE)
	@touch $@

demo: install
	@$(BIN)/genai4eu demo $(OPTIONS)

demo-all: install
	@$(BIN)/genai4eu demo --all $(OPTIONS)

lab: install
	@$(BIN)/genai4eu lab

test: install
	@$(COMPILE)
	$(RUN) -m pytest -n $(TESTERS) --dist loadfile --no-loadscope-reorder

# The quick ones compute rather than wait: two at a time.
test-quick: TESTERS = 2
test-quick: install
	@$(COMPILE)
	$(RUN) -m pytest -n $(TESTERS) --dist loadfile --no-loadscope-reorder -m "not slow"

# mypy sees the namespace through a folder of links: the rooms stand at the top, the package is called genai4eu.
lint: install
	@rm -rf build/typing && mkdir -p build/typing/genai4eu
	@for entry in workbench/*; do ln -s "$(CURDIR)/$$entry" build/typing/genai4eu/; done
	@for room in kernels notebooks templates usecases widgets; do ln -s "$(CURDIR)/$$room" build/typing/genai4eu/; done
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	cd build/typing && ../../$(BIN)/python -P -m mypy --config-file ../../pyproject.toml -p genai4eu
	MYPYPATH=build/typing $(RUN) -m mypy --explicit-package-bases tests
	$(BIN)/nbstripout --keep-id --verify $$(git ls-files '*.ipynb')

# The script of dashboards, bundled from templates/dashboard/frontend; needs npm, and only who changes it.
frontend:
	mkdir -p build/frontend && cp templates/dashboard/frontend/package.json build/frontend/
	npm install --prefix build/frontend --no-package-lock --no-audit --no-fund --silent
	cd templates/dashboard/frontend && node build.mjs ../../../build/frontend

messages: install
	$(RUN) -m genai4eu.dashboards.pages.messages $(NEW)

bench: install bench-kernels bench-runs bench-usecases bench-dashboards bench-courses

# Twenty participants beside a stock JupyterHub; needs its proxy on the PATH, and root for seats of their own.
bench-courses: install
	$(RUN) tests/benchmarks/courses.py

bench-dashboards: install
	$(RUN) tests/benchmarks/dashboards.py

bench-runs: install
	$(RUN) tests/benchmarks/runs.py
	$(RUN) tests/benchmarks/runs.py --one-process
	$(RUN) tests/benchmarks/records.py
	$(RUN) tests/benchmarks/sweep.py
	$(RUN) tests/benchmarks/transfer.py

bench-usecases: install
	$(BIN)/pip install -q -c constraints.txt diffusers pytorch-ignite
	$(RUN) tests/benchmarks/usecases.py

bench-kernels: install
	$(RUN) tests/benchmarks/kernel_start.py
	$(RUN) tests/benchmarks/gateway.py

clean:
	rm -rf $(VENV) build dist *.egg-info
