"""Without the packages of any extra every module is imported and every example in it works."""

import json
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions

import pytest

pytestmark = pytest.mark.slow

NEEDED_HERE = {"test", "check"}  # these extras serve the tests themselves

BARE = """
import doctest, importlib, json, pkgutil, sys

absent = set(json.loads(sys.argv[1]))

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in absent:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Absent())
import retain

tried = 0
for found in pkgutil.walk_packages(retain.__path__, "retain."):
    examples = doctest.testmod(importlib.import_module(found.name))
    tried += examples.attempted
    if examples.failed:
        sys.exit(f"examples of {found.name} fail")
print(tried, *absent & {name.partition(".")[0] for name in sys.modules})
"""


@pytest.fixture(scope="module")
def project(checkout):
    return tomllib.loads((checkout / "pyproject.toml").read_text())


@pytest.fixture(scope="module")
def absent(project):
    """The packages that the extras bring, by the names they are imported under."""
    extras = project["project"]["optional-dependencies"]
    wanted = [text for name in extras.keys() - NEEDED_HERE for text in extras[name]]
    brought = {re.match(r"[\w-]+", text).group().lower() for text in wanted}
    return sorted(
        name
        for name, distributions in packages_distributions().items()
        if brought & {one.lower() for one in distributions}
    )


def test_nothing_fails_to_import_and_no_example_fails_without_the_extras(absent):
    assert {"duckdb", "sqlalchemy", "psycopg", "optuna", "mlflow"} <= set(absent)
    command = [sys.executable, "-W", "error", "-c", BARE, json.dumps(absent)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    tried, *loaded = done.stdout.split()
    assert int(tried) > 300
    assert loaded == []


# An archive of the source whose tests cannot be run is of no use to a distributor.
def test_whatever_the_tests_read_is_packed_with_them(checkout, project):
    packed = {*project["tool"]["hatch"]["build"]["targets"]["sdist"]["include"], "pyproject.toml"}
    named = r'(?:checkout|parents\[\d\]) / "([^"/]+)'
    read = {
        name
        for file in (checkout / "tests").rglob("*.py")
        for name in re.findall(named, file.read_text(encoding="utf-8"))
    }
    read |= {page.name for page in checkout.glob("*.md")}
    assert {"conf", "experiments", "src"} <= read
    assert read <= packed
