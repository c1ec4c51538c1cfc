import subprocess

from retain.app import environment


def test_a_folder_outside_any_repository_has_no_commit(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    environment.git.cache_clear()
    found = environment.git()
    environment.git.cache_clear()
    assert found.commit is None
    assert not found.dirty


def test_a_machine_without_git_has_no_commit(monkeypatch):
    def missing(*_, **__):
        raise FileNotFoundError("git")

    monkeypatch.setattr(subprocess, "run", missing)
    environment.git.cache_clear()
    assert environment.git().commit is None
    environment.git.cache_clear()


def test_the_code_hash_is_that_of_the_rooms_that_make_scores():
    found = environment.environment()
    assert len(found.code) == 64
    assert set(found.packages) == set(environment.PACKAGES)
