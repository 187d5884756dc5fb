# The Python face. What it builds goes to target/python and target/dist; nothing is left in the tree.

PYTHON ?= python3
PYTHON_OUT := $(CURDIR)/target/python
PYTHON_DIST := $(CURDIR)/target/dist/python
PYTHON_BIN := $(PYTHON_OUT)/venv/bin
PYTHON_MATURIN := $(PYTHON_BIN)/maturin
PYTHON_FLAGS := --quiet --locked --manifest-path python/Cargo.toml
PYTHON_PIP := $(PYTHON_BIN)/pip --disable-pip-version-check --quiet

# An environment with what builds and tests the package.
$(PYTHON_OUT)/venv/ready: python/requirements.txt
	rm -rf $(PYTHON_OUT)/venv
	$(PYTHON) -m venv $(PYTHON_OUT)/venv
	$(PYTHON_PIP) install --requirement python/requirements.txt
	touch $@

# The native module with what its stub is made of, and the stub as maturin makes it.
.PHONY: python-stub
python-stub: $(PYTHON_OUT)/venv/ready
	$(PYTHON_MATURIN) generate-stubs $(PYTHON_FLAGS) --features stubs --out $(PYTHON_OUT)/stub

PYTHON_GENERATE := $(PYTHON_BIN)/python python/tools/generate.py \
	target/maturin/lib_native.so $(PYTHON_OUT)/stub/lightning_db/_native.pyi

.PHONY: generate-python
generate-python: python-stub ## Write what Python has of the engine's tables, and the stub
	$(PYTHON_GENERATE)

# Fails if the tree has something else.
.PHONY: python-unchanged
python-unchanged: python-stub
	$(PYTHON_GENERATE) --check

# The package in the dev profile, installed from a wheel.
.PHONY: python-installed
python-installed: python-unchanged
	rm -rf $(PYTHON_OUT)/wheel
	$(PYTHON_MATURIN) build $(PYTHON_FLAGS) --compatibility linux --out $(PYTHON_OUT)/wheel
	$(PYTHON_PIP) install --force-reinstall --no-deps $(PYTHON_OUT)/wheel/*.whl

# The same with disks that fail when told, beside the environment.
.PHONY: python-faults
python-faults: python-installed
	rm -rf $(PYTHON_OUT)/faults
	$(PYTHON_MATURIN) build $(PYTHON_FLAGS) --compatibility linux --features faults --out $(PYTHON_OUT)/faults/wheel
	$(PYTHON_PIP) install --no-deps --target $(PYTHON_OUT)/faults/package $(PYTHON_OUT)/faults/wheel/*.whl

PYTHON_TEST := RUST_BACKTRACE=0 $(PYTHON_BIN)/pytest --quiet --config-file python/pyproject.toml

.PHONY: test-python
test-python: python-installed python-faults ## Test the Python face
	$(PYTHON_TEST) python/tests
	PYTHONPATH=$(PYTHON_OUT)/faults/package $(PYTHON_TEST) python/tests/faults

# The package as it is given out: release and stripped.
.PHONY: python-wheel
python-wheel: $(PYTHON_OUT)/venv/ready
	rm -rf $(PYTHON_DIST) $(PYTHON_OUT)/empty
	$(PYTHON_MATURIN) build $(PYTHON_FLAGS) --release --strip --out $(PYTHON_DIST)
	$(PYTHON) -m venv --without-pip $(PYTHON_OUT)/empty
	$(PYTHON_PIP) --python $(PYTHON_OUT)/empty/bin/python install --no-index $(PYTHON_DIST)/*.whl

.PHONY: dist-python
dist-python: python-wheel ## Build the wheel, install it into an empty environment, run the README's code there
	@du --apparent-size --human-readable $(PYTHON_DIST)/*.whl
	$(PYTHON_OUT)/empty/bin/python -W error python/tools/run_readme.py python/README.md

.PHONY: speed-python
speed-python: python-wheel ## Measure what a call from Python costs
	$(PYTHON_OUT)/empty/bin/python python/tools/speed.py
