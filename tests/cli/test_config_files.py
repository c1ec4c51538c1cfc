"""Config files of the user's own: what Hydra is not given."""

import os

import pytest

from retain.cli.config_files import check_config_files
from retain.errors import RetainError

WRONG = {
    "a text": ('"1e-400"', "holds one value; expected keys and values"),
    "a list": ("- name: x\n", "holds a list; expected"),
    "no YAML": ("name: [x", "cannot be read as YAML"),
    "deep": ("a: " + "[" * 200 + "]" * 200, "nested more than"),
    "many aliases": (
        "a0: &a0 [x, x]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]\n" for i in range(1, 40)),
        "keys and values",
    ),
    "a circle": ("a: &a [*a]\n", "keys and values"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_file_that_hydra_could_not_read_is_refused_before_it_does(kind, tmp_path):
    text, refused = WRONG[kind]
    path = tmp_path / "offers" / "mine.yaml"
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(RetainError, match=rf"mine\.yaml.*{refused}"):
        check_config_files([tmp_path])


def test_what_is_no_file_or_no_text_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe.yaml")
    with pytest.raises(RetainError, match=r"pipe\.yaml"):
        check_config_files([tmp_path])
    (tmp_path / "pipe.yaml").unlink()
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(RetainError, match=r"bytes\.yaml"):
        check_config_files([tmp_path])


def test_an_empty_file_and_one_of_keys_are_taken(tmp_path):
    (tmp_path / "empty.yaml").write_text("# nothing yet\n")
    (tmp_path / "mine.yaml").write_text("name: mine\n")
    check_config_files([tmp_path])
