# make demo   pretrain a tiny model for a minute and predict the examples
# make test   everything that has to hold before a commit: lint, types, tests, doctests
# make lint   ruff and mypy only
# make docs   the site, into site/; fails where a link leads nowhere or something would be loaded from elsewhere
# make coverage    which lines the tests reach; fails below 92 % (takes longer than make test)
# make clean  remove what the other targets made

PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test lint docs coverage clean

# The stamp is newer than these files exactly when the environment is up to date.
.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --no-compile -c constraints.txt -e '.[deepchem,dev]'
	# On all processors, where pip compiles on one. Some packages hold files for another Python, which do not compile.
	$(BIN)/python -m compileall -qq -j 0 .venv/lib || true
	touch $@

demo: .venv/installed
	rm -rf runs/demo
	$(BIN)/exlm-chem pretrain data/zinc_20k.smi.gz -o runs/demo --preset tiny --max-time 1m --seed 1
	$(BIN)/exlm-chem predict --task bbbp data/examples.csv -o runs/demo/predictions.csv
	@$(BIN)/python -c "import pandas; print(pandas.read_csv('runs/demo/predictions.csv').to_string(max_colwidth=40))"

test: lint
	# One process a processor, with one thread each: more threads than processors wait for each other.
	# Many tests start processes, and each would compile the package anew where bytecode may not be written.
	PYTHONDONTWRITEBYTECODE= OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n auto --dist worksteal

lint: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Its own stamp: the tests need none of it.
.venv/docs: .venv/installed
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[docs]'
	touch $@

docs: .venv/docs
	$(BIN)/python -m mkdocs build --clean    # with --quiet its warnings would not count
	$(BIN)/python docs/check_site.py site

coverage: .venv/installed
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n auto --cov --cov-report=term

clean:
	rm -rf .venv runs build dist site .coverage* *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
