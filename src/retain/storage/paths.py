"""Names that become parts of paths, and paths that must stay inside a folder."""

from __future__ import annotations

import re
from pathlib import Path

from retain.errors import RetainError

MAX_NAME_BYTES = 200
"""Bytes; file systems allow 255, and some names get a suffix."""
PLAIN_NAME = (
    "one plain name for a folder: no /, no leading dot, no control characters, "
    f"at most {MAX_NAME_BYTES} bytes"
)
"""What is expected of a name, as part of a sentence."""
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f/\\:*?\"<>|\u2028\u2029]")


def is_plain_name(name: str) -> bool:
    """Return whether ``name`` is one safe component of a path, whatever the system.

    >>> is_plain_name("models 2"), is_plain_name("../../X"), is_plain_name(".hidden")
    (True, False, False)
    """
    return (
        0 < len(name.encode(errors="surrogatepass")) <= MAX_NAME_BYTES
        and name == name.strip()
        and name.isprintable()
        and not name.startswith((".", "~"))
        and not name.endswith(".")
        and not _UNSAFE.search(name)
    )


def check_name(kind: str, name: str) -> str:
    """Return ``name`` if it is one safe component of a path, whatever the system.

    Parameters
    ----------
    kind
        What is named, as the user typed it, such as ``"study.name"``.

    Raises
    ------
    RetainError
        If it is empty, hidden, leads elsewhere, is too long or has characters of control.

    >>> check_name("study.name", "models 2")
    'models 2'
    >>> check_name("study.name", "../../X")
    Traceback (most recent call last):
    ...
    retain.errors.RetainError: study.name is '../../X'; expected one plain name for a folder: \
no /, no leading dot, no control characters, at most 200 bytes.
    """
    if not is_plain_name(name):
        raise RetainError(f"{kind} is {name!r}; expected {PLAIN_NAME}.")
    return name


def is_inside(path: Path, folder: Path) -> bool:
    """Return whether ``path``, with every link followed, lies in ``folder``, likewise followed.

    >>> is_inside(Path("outputs/models/verdict"), Path("outputs"))
    True
    >>> is_inside(Path("outputs/../elsewhere"), Path("outputs"))
    False
    """
    try:
        return path.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError):  # a loop of links leads nowhere
        return False


def parse_path(key: str, text: str) -> Path:
    """Return a path as it was typed, ``~`` standing for a home; whether it is there is not asked.

    Raises
    ------
    RetainError
        If no file of this system can be called so.

    >>> parse_path("data.path", "~nobody-here/x.csv")
    Traceback (most recent call last):
    ...
    retain.errors.RetainError: data.path: '~nobody-here/x.csv' cannot be a path: \
Could not determine home directory; expected a file or folder of this machine.
    """
    try:
        path = Path(text).expanduser()
        path.lstat()
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return path
    except (OSError, ValueError, RuntimeError) as error:  # too long, a NUL, an unknown user
        why = str(getattr(error, "strerror", None) or error).rstrip(".")
        found = f"{text[:MAX_NAME_BYTES]!r} cannot be a path: {why}"
        raise RetainError.at(key, found, "expected a file or folder of this machine") from None
    return path


def conf_dir() -> Path:
    """The folder of the configs, installed or in a checkout, from any working directory."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "conf"
    return installed if installed.is_dir() else package.parents[1] / "conf"
