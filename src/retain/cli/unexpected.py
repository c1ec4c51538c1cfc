"""Unexpected errors: one sentence for the user, and a log for bug reports.

``RETAIN_DEBUG=1`` shows the traceback at once. The log is private, of bounded size, and a new file
that follows no link. Values of the environment are replaced by their names.
"""

from __future__ import annotations

import os
import platform
import re
import secrets
import shlex
import tempfile
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from retain.cli.terminal.output import clean, clean_line, write_error
from retain.execution.worker_start import read_worker_stderr

UNFORESEEN = 70
"""Exit code of a command that ended by a bug of retain (EX_SOFTWARE)."""
DEBUG = "RETAIN_DEBUG"
MAX_LOG_BYTES = 200_000
MAX_SENTENCE = 300
MIN_SECRET = 8
"""Minimum length of the environment's values that are replaced in the log."""
PACKAGES = (
    "hydra-core",
    "pydantic",
    "numpy",
    "pandas",
    "pyarrow",
    "scipy",
    "scikit-learn",
    "imbalanced-learn",
    "lightgbm",
    "catboost",
    "shap",
    "duckdb",
    "rich",
)
_PASSWORD = re.compile(r"(?<=://)[^/\s@]+@")


@contextmanager
def logged_beside(folder: Path) -> Iterator[None]:
    """Write the log of an unexpected error in a study's folder."""
    try:
        yield
    except Exception as error:
        error.__dict__.setdefault("log_folder", folder)
        raise


def report_unforeseen(error: Exception, arguments: Sequence[str]) -> int:
    """Print the error and the path of its log in a sentence; return the exit code."""
    if os.environ.get(DEBUG) == "1":
        write_error("".join(traceback.format_exception(error)))
        return UNFORESEEN
    path = _write_log(error, arguments)
    where = "no log of it could be written" if path is None else f"its log: {path}"
    write_error(
        f"{_summary(error)}. This is a bug of retain; {where}. "
        f"{DEBUG}=1 before the command shows the traceback.\n"
    )
    return UNFORESEEN


def _summary(error: Exception) -> str:
    """Return the error in one line, the last one of a worker's traceback."""
    lines = str(error).strip().splitlines() or [""]
    message = lines[-1] if lines[0].startswith("Traceback ") else " ".join(lines)
    if not lines[0].startswith("Traceback "):
        message = f"{type(error).__name__}: {message}".rstrip(": ")
    message = clean_line(_without_secrets(message))
    return (message if len(message) <= MAX_SENTENCE else f"{message[:MAX_SENTENCE]}…").rstrip(".")


def _write_log(error: Exception, arguments: Sequence[str]) -> Path | None:
    """Write the log in the study's folder, or in the temporary one."""
    text = _log_text(error, arguments).encode(errors="backslashreplace")
    folders = [error.__dict__.get("log_folder")]
    with suppress(OSError):
        folders.append(Path(tempfile.gettempdir()))
    for folder in folders:
        if folder is not None:
            with suppress(OSError):
                return _write_new(Path(folder), text[-MAX_LOG_BYTES:])
    return None


def _write_new(folder: Path, content: bytes) -> Path:
    """Write a new private file in a folder that is not a link, and return its path."""
    day = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    name = f"retain-bug-{day}-{secrets.token_hex(4)}.log"
    if not hasattr(os, "O_NOFOLLOW"):  # Windows, whose links need rights of their own
        with (folder / name).open("xb") as file:
            file.write(content)
        return folder / name
    directory = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        with os.fdopen(os.open(name, flags, 0o600, dir_fd=directory), "wb") as file:
            file.write(content)
    finally:
        os.close(directory)
    return folder / name


def _log_text(error: Exception, arguments: Sequence[str]) -> str:
    trace = "".join(traceback.format_exception(error))
    lines = [
        "An error of retain that nobody foresaw. Look through this file before you send it.",
        f"time: {datetime.now(UTC).isoformat(timespec='seconds')}",
        f"command: retain… {shlex.join(map(_without_secrets, arguments))}",
        f"python: {platform.python_version()} on {platform.platform(terse=True)}",
        f"packages: {', '.join(_versions())}",
        "",
        trace,
        *(("what worker processes wrote:", read_worker_stderr()) if read_worker_stderr() else ()),
    ]
    return clean(_without_secrets("\n".join(lines)))


def _versions() -> Iterator[str]:
    for name in ("retain", *PACKAGES):
        with suppress(metadata.PackageNotFoundError):
            yield f"{name} {metadata.version(name)}"


def _without_secrets(text: str) -> str:
    """Return a text without passwords and with the environment's values as names."""
    text = _PASSWORD.sub("…@", text)
    values = sorted(os.environ.items(), key=lambda item: -len(item[1]))
    for name, value in values:
        if len(value) >= MIN_SECRET:
            text = text.replace(value, f"${name}")
    return text
