import shutil
import subprocess
from pathlib import Path

import pytest

import retain
from retain.customers.purchases.features import sql_script
from retain.execution import plan
from retain.storage.writing import hash_folder


def test_a_folder_outside_any_repository_has_no_commit(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    plan.read_git_state.cache_clear()
    found = plan.read_git_state()
    plan.read_git_state.cache_clear()
    assert found.commit is None
    assert not found.dirty


def test_a_machine_without_git_has_no_commit(monkeypatch):
    def missing(*_, **__):
        raise FileNotFoundError("git")

    monkeypatch.setattr(subprocess, "run", missing)
    plan.read_git_state.cache_clear()
    assert plan.read_git_state().commit is None
    plan.read_git_state.cache_clear()


def test_the_environment_names_the_packages_that_can_change_a_score():
    found = plan.collect_environment()
    assert len(found.code_sha256) == 64
    assert set(found.packages) == set(plan.PACKAGES)


PACKAGE = Path(retain.__file__).parent
KINDS = {path.suffix: path for path in PACKAGE.rglob("*") if path.is_file()}
"""A file of every kind there is, the deepest that was met."""


@pytest.fixture(scope="module")
def copied(tmp_path_factory):
    """A copy of the package."""
    folder = tmp_path_factory.mktemp("code") / "retain"
    return Path(shutil.copytree(PACKAGE, folder, ignore=shutil.ignore_patterns("__pycache__")))


# A record whose code changed is outdated; a table built by other code is built again.
@pytest.mark.parametrize("suffix", sorted(set(KINDS) - {".pyc"}))
def test_a_change_in_any_kind_of_file_changes_the_hash(copied, suffix):
    before = hash_folder(copied)
    path = copied / KINDS[suffix].relative_to(PACKAGE)
    content = path.read_bytes()
    path.write_bytes(content + b" ")
    changed = hash_folder(copied)
    path.write_bytes(content)
    path.rename(path.with_name("renamed"))
    renamed = hash_folder(copied)
    path.with_name("renamed").rename(path)
    assert len({before, changed, renamed}) == 3
    assert hash_folder(copied) == before


def test_the_hash_of_the_code_and_that_of_tables_cover_every_file(monkeypatch):
    opened = set()
    read = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: opened.add(path) or read(path))
    plan.collect_environment.cache_clear()
    plan.collect_environment()
    every = {path for path in PACKAGE.rglob("*") if path.is_file() and path.suffix != ".pyc"}
    assert {path for path in every if path.relative_to(PACKAGE).parts[0] != "conf"} == opened
    opened.clear()
    sql_script.hash_definition.cache_clear()
    sql_script.hash_definition()
    assert opened == {path for path in every if path.is_relative_to(PACKAGE / "customers")}


def test_what_python_compiles_changes_no_hash(copied):
    before = hash_folder(copied)
    compiled = copied / "cli" / "__pycache__" / "run.pyc"
    compiled.parent.mkdir()
    compiled.write_bytes(b"compiled")
    assert hash_folder(copied) == before
