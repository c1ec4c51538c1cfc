"""The README names the Python that the package needs, and the locks hold all it depends on."""

import re
import sys
import tomllib

import pytest


@pytest.fixture(scope="module")
def readme(checkout):
    return (checkout / "README.md").read_text(encoding="utf-8")


def test_the_python_of_the_readme_is_that_of_the_package(readme, checkout):
    project = tomllib.loads((checkout / "pyproject.toml").read_text())["project"]
    assert project["requires-python"] == ">=3.11,<3.14"
    assert "Python 3.11 to 3.13" in readme
    assert sys.version_info[:2] >= (3, 11)


@pytest.mark.parametrize(
    ("name", "fewest"),
    [("requirements.lock", 50), ("requirements-cluster.lock", 10), ("requirements-docs.lock", 10)],
)
def test_the_locks_have_hashes_and_no_address(checkout, name, fewest):
    lock = (checkout / name).read_text()
    assert "://" not in lock
    assert "index-url" not in lock
    pinned = re.findall(r"^\S+==\S+", lock, flags=re.MULTILINE)
    assert len(pinned) > fewest
    assert lock.count("--hash=sha256:") >= len(pinned)


def locked(checkout, name):
    """Versions of each package, by its name; which platforms need it may differ between locks."""
    lines = re.findall(
        r"^(\S+)==([^\s;]+).* \\$", (checkout / name).read_text(), flags=re.MULTILINE
    )
    return {package: {pin for other, pin in lines if other == package} for package, _ in lines}


# Ray alone is larger than all the rest: who does not ask for it does not get it.
def test_every_dependency_is_in_one_of_the_locks_and_all_agree(checkout):
    project = tomllib.loads((checkout / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    first = [*project["dependencies"], *extras["test"], *extras["check"]]
    second = [*extras["slurm"], *extras["ray"], *extras["spark"], *extras["bench"]]
    one = locked(checkout, "requirements.lock")
    assert "ray" not in one
    for part, wanted in (("", first), ("-cluster", second), ("-docs", extras["docs"])):
        other = locked(checkout, f"requirements{part}.lock")
        names = {re.match(r"[\w-]+", text).group().lower() for text in wanted}
        assert names <= set(other)
        assert {name: one[name] for name in one.keys() & other} == {
            name: other[name] for name in one.keys() & other
        }
