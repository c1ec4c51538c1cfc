"""Folders put in place together, whatever is killed when."""

import contextlib
import json
import shutil

import pytest

from retain.errors import RetainError
from retain.storage import transaction as module
from retain.storage.transaction import COMMIT, JOURNAL, exchange, recover, transaction

PLACES = ("verdict", "campaigns/0123abcd", "campaigns/0123abcd/readout")


class KilledError(BaseException):
    """What a SIGKILL is in one process: nothing after it happens, tidying up included."""


def fill(folder, text):
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("one.txt", "other.txt"):
        (folder / name).write_text(text)


def replace_all(folder, text, places=PLACES[:2]):
    with transaction(folder) as staging:
        for place in places:
            fill(staging.add(place), text)


def texts(folder):
    return {
        place: {path.read_text() for path in (folder / place).glob("*.txt")} for place in PLACES[:2]
    }


def visible(folder):
    return sorted(path.name for path in folder.iterdir())


def test_new_folders_take_the_place_of_old_ones_and_nothing_else_stays(tmp_path):
    replace_all(tmp_path, "old")
    replace_all(tmp_path, "new")
    assert set(map(frozenset, texts(tmp_path).values())) == {frozenset({"new"})}
    assert visible(tmp_path) == ["campaigns", "verdict"]


def test_what_fails_on_the_way_changes_nothing(tmp_path):
    replace_all(tmp_path, "old")
    with pytest.raises(FileExistsError):
        replace_all(tmp_path, "new", places=("verdict", "verdict"))
    assert texts(tmp_path)["verdict"] == {"old"}
    assert visible(tmp_path) == ["campaigns", "verdict"]


def steps(monkeypatch, allowed, *, with_exchange):
    """Let so many steps that change names happen, then be killed; count them."""
    done = []

    def counted(real):
        def step(*arguments, **named):
            if len(done) >= allowed:
                raise KilledError
            done.append(real.__name__)
            return real(*arguments, **named)

        return step

    monkeypatch.setattr(module.Path, "rename", counted(module.Path.rename))
    monkeypatch.setattr(module.shutil, "rmtree", counted(shutil.rmtree))
    real = module._try_exchange if with_exchange else (lambda one, other: False)
    monkeypatch.setattr(module, "_try_exchange", counted(real))
    return done


# The journal knows folders by their inodes, so that doing again what was done changes nothing.
@pytest.mark.parametrize("with_exchange", [True, False])
@pytest.mark.parametrize("allowed", range(14))
def test_killed_at_any_step_the_next_start_finds_or_makes_one_whole_state(
    tmp_path, monkeypatch, allowed, with_exchange
):
    replace_all(tmp_path, "old")
    with monkeypatch.context() as patched:
        done = steps(patched, allowed, with_exchange=with_exchange)
        try:
            replace_all(tmp_path, "new")
        except KilledError:
            counted = any(name == "rename" for name in done)
        else:
            counted = True
    recover(tmp_path)
    assert texts(tmp_path) == {place: {"new" if counted else "old"} for place in PLACES[:2]}
    assert visible(tmp_path) == ["campaigns", "verdict"]
    recover(tmp_path)
    assert texts(tmp_path) == {place: {"new" if counted else "old"} for place in PLACES[:2]}


# In a copy inodes are others: what was put in place before must not be taken for the old again.
@pytest.mark.parametrize("allowed", range(1, 6))
def test_a_folder_copied_while_it_was_written_is_never_put_together_of_two_states(
    tmp_path, monkeypatch, allowed
):
    study = tmp_path / "study"
    study.mkdir()
    replace_all(study, "old")
    with monkeypatch.context() as patched, contextlib.suppress(KilledError):
        steps(patched, allowed, with_exchange=True)
        replace_all(study, "new")
    copied = tmp_path / "copied"
    shutil.copytree(study, copied)
    before = texts(copied)
    with contextlib.suppress(RetainError):
        recover(copied)
    assert texts(copied) == before
    if (copied / COMMIT).exists():
        with pytest.raises(RetainError, match=r"copied .* Remove it, and give the command again"):
            recover(copied)


def test_what_is_immutable_stays_as_it_is(tmp_path):
    replace_all(tmp_path, "old")
    with transaction(tmp_path) as staging:
        fill(staging.path / "made", "new")
        staging.place(staging.path / "made", PLACES[1], immutable=True)
    assert texts(tmp_path)[PLACES[1]] == {"old"}


def test_what_is_dropped_stays_as_it_is(tmp_path):
    replace_all(tmp_path, "old")
    with transaction(tmp_path) as staging:
        fill(staging.add("verdict"), "new")
        fill(staging.add(PLACES[1]), "new")
        staging.drop("verdict")
    assert texts(tmp_path) == {"verdict": {"old"}, PLACES[1]: {"new"}}


def test_a_folder_within_another_is_replaced_alone(tmp_path):
    replace_all(tmp_path, "old")
    replace_all(tmp_path, "new", places=PLACES[2:])
    assert texts(tmp_path)[PLACES[1]] == {"old"}
    assert (tmp_path / PLACES[2] / "one.txt").read_text() == "new"


def test_a_file_in_the_place_of_a_folder_is_refused_before_anything_counts(tmp_path):
    (tmp_path / "verdict").write_text("a file")
    with pytest.raises(NotADirectoryError):
        replace_all(tmp_path, "new")
    assert visible(tmp_path) == ["verdict"]


@pytest.mark.parametrize(
    "journal",
    [
        "{}",
        "[",
        "[" * 5000,
        "7",
        json.dumps([{"place": "../outside", "inode": 1, "immutable": False}]),
        json.dumps([{"place": "/outside", "inode": 1, "immutable": False}]),
        json.dumps([{"place": "link/inside", "inode": 1, "immutable": False}]),
        json.dumps([{"place": "verdict", "inode": "many", "immutable": False}]),
    ],
)
def test_a_commit_that_somebody_else_made_up_is_refused(tmp_path, journal):
    study = tmp_path / "study"
    fill(study / COMMIT / "verdict", "theirs")
    (study / "link").symlink_to(tmp_path)
    (study / COMMIT / JOURNAL).write_text(journal)
    if journal == "{}":  # a journal of nothing puts nothing in place
        recover(study)
    else:
        with pytest.raises(RetainError, match="was not left by a command that was killed"):
            recover(study)
    assert not (study / "verdict").exists()
    assert visible(tmp_path) == ["study"]


def test_leftovers_that_are_links_are_removed_and_not_followed(tmp_path):
    (tmp_path / "precious").mkdir()
    fill(tmp_path / "precious", "mine")
    study = tmp_path / "study"
    study.mkdir()
    (study / ".staging-0123456789ab").symlink_to(tmp_path / "precious")
    recover(study)
    assert (tmp_path / "precious" / "one.txt").read_text() == "mine"
    assert visible(study) == []


def test_two_folders_exchange_names(tmp_path):
    fill(tmp_path / "a", "a")
    fill(tmp_path / "b", "b")
    exchange(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b" / "one.txt").read_text() == "a"


@pytest.mark.parametrize("link", ["verdict", "campaigns", "campaigns/0123abcd"])
def test_a_link_on_the_way_to_a_place_is_named_before_anything_counts(tmp_path, link):
    study, elsewhere = tmp_path / "study", tmp_path / "elsewhere"
    fill(elsewhere, "theirs")
    (study / link).parent.mkdir(parents=True)
    (study / link).symlink_to(elsewhere)
    with pytest.raises(RetainError, match=f"{link} is a link, which may lead anywhere"):
        replace_all(study, "new")
    assert {path.read_text() for path in elsewhere.iterdir()} == {"theirs"}
    assert [path for path in study.iterdir() if path.name.startswith(".")] == []
