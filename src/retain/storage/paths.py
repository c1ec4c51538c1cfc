"""Safe names of files and folders, and paths that must stay inside a folder."""

from __future__ import annotations

import re
from pathlib import Path

from retain.errors import RetainError

MAX_NAME_BYTES = 200
"""Longest name; file systems allow 255 bytes, and some names get a suffix."""
PLAIN_NAME = (
    "one plain name for a folder: no /, no leading dot, no control characters, "
    f"at most {MAX_NAME_BYTES} bytes"
)
"""Description of a safe name for error messages."""
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f/\\:*?\"<>|\u2028\u2029]")


def is_plain_name(name: str) -> bool:
    """Return whether ``name`` is one safe component of a path on any system.

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
    """Return ``name`` if it is one safe component of a path on any system.

    Parameters
    ----------
    kind
        The config key of the name, such as ``"study.name"``, for the message.

    Raises
    ------
    RetainError
        If it is empty, hidden, a path, too long or has control characters.

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
    """Return whether ``path`` lies in ``folder`` after all links of both are followed.

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
    """Return a typed path with ``~`` expanded; it need not exist.

    Raises
    ------
    RetainError
        If no file of this system can have the path.

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
        reason = str(getattr(error, "strerror", None) or error).rstrip(".")
        found = f"{text[:MAX_NAME_BYTES]!r} cannot be a path: {reason}"
        raise RetainError.at(key, found, "expected a file or folder of this machine") from None
    return path


def conf_dir() -> Path:
    """Return the folder of the configs, of an installation or a checkout."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "conf"
    return installed if installed.is_dir() else package.parents[1] / "conf"
