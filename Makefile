# Every target sets up what it needs: `make demo` and `make test` work as first commands.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PEERS := .venv-peers
ARGS ?=
COMPILE := $(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header \
	--no-emit-index-url --upgrade

.PHONY: demo test check format bench lock release clean

demo: $(STAMP)
	$(BIN)/postern demo $(ARGS)

test: $(STAMP)
	$(BIN)/pytest $(ARGS)

check: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(STAMP) $(PEERS)/.installed
	$(BIN)/postern bench --peers $(PEERS)/bin/python $(ARGS)

# Writes the locks anew from pyproject.toml and requirements/*.in.
lock: $(STAMP)
	$(COMPILE) requirements/build.in -o requirements/build.txt
	$(COMPILE) --override requirements/overrides.txt --all-extras pyproject.toml \
		-o requirements/lock.txt
	$(COMPILE) --override requirements/overrides.txt --override requirements/overrides-run.txt \
		--extra plates --extra demo -c requirements/lock.txt pyproject.toml -o requirements/run.txt
	$(COMPILE) --override requirements/peers-overrides.txt requirements/peers.in \
		-o requirements/peers.txt

# A tarball for `packaging/install` and `postern upgrade`, in dist.
release: $(STAMP)
	packaging/release $(BIN)/python dist

clean:
	rm -rf $(VENV) $(PEERS) build dist demo-report

$(STAMP): requirements/build.txt requirements/lock.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Postern needs Python 3.11 or newer; say which with: make PYTHON=python3.12 ..."; exit 1; }
	@$(PYTHON) -m venv $(VENV) \
		|| { echo "Python's venv is missing; install it with: apt-get install python3-venv"; exit 1; }
	@echo "Installing Postern into $(VENV), once, in about two minutes:"
	@echo "  1 of 3: the tools that build ..."
	@$(BIN)/pip install -q --disable-pip-version-check --require-hashes --no-deps \
		-r requirements/build.txt
	@echo "  2 of 3: the libraries ..."
	@$(BIN)/pip install -q --disable-pip-version-check --require-hashes --no-deps \
		--no-build-isolation -r requirements/lock.txt
	@echo "  3 of 3: Postern ..."
	@$(BIN)/pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

# The programs that Postern is measured against, apart from its own environment.
$(PEERS)/.installed: requirements/build.txt requirements/peers.txt
	$(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/pip install -q --disable-pip-version-check --require-hashes --no-deps \
		-r requirements/build.txt
	$(PEERS)/bin/pip install -q --disable-pip-version-check --require-hashes --no-deps \
		--no-build-isolation -r requirements/peers.txt
	touch $@
