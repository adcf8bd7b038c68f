# The two that a stranger needs: make demo, make test. The rest is for those who work on it.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

.PHONY: demo test soak lint bench docs lock wheel clean

$(STAMP): requirements.lock pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(STAMP)   ## rehearse 2014-2020 over the real events; look at build/demo/out/index.html
	@rm -rf build/demo
	@$(BIN)/notifier init --demo build/demo --yes --quiet
	@$(BIN)/notifier --config build/demo/config.toml rehearse --from 2014-12-01 --to 2020-12-31 \
	    --history build/demo/data/demo/history.toml --subscribers build/demo/data/samples/subscribers.csv --out build/demo/out

test: $(STAMP)   ## all tests but the long ones, at most 6 minutes on 2 cores
	@$(BIN)/python -m pytest -q -n 2 --dist loadfile -m "not slow"

ROUNDS ?=
soak: $(STAMP)   ## the long ones, all of them, or those that ROUNDS names: make soak ROUNDS='kill or demo'
	@$(BIN)/python -m pytest -q -n 2 --dist loadscope -m slow $(if $(ROUNDS),-k "$(ROUNDS)")

lint: $(STAMP)   ## format, lint, types, floors, dependencies, words
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/deptry .
	@$(BIN)/python tests/words.py

bench: $(STAMP)  ## measure; writes build/bench/*.json
	@$(BIN)/python -m bench

docs: $(STAMP)   ## write the generated reference pages
	@$(BIN)/python -m notifier.cli.reference docs/reference

lock:            ## requirements.lock anew: exact versions with hashes, no index addresses
	@$(BIN)/python -m piptools compile --quiet --extra dev --extra web --generate-hashes --allow-unsafe --strip-extras \
	    --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-header --no-annotate --output-file requirements.lock pyproject.toml

wheel: $(STAMP)
	@$(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir build/wheel .

clean:
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
