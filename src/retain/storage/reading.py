"""Safe reading of files that anybody may have written: regular files of bounded size and depth.

Only this room opens files to read them. Pipes, devices, folders, and links that lead out of a given
folder raise an error before a byte is read, so that nothing ever hangs.
"""

from __future__ import annotations

import io
import itertools
import math
import os
import stat
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from retain.errors import RetainError

MIB = 2**20
MAX_TEXT_BYTES = 256 * MIB
"""Largest text or JSON document; a verdict over ten thousand runs has about ten MiB."""
MAX_TABLE_BYTES = 16 * 1024 * MIB
"""Largest table that is read into memory as a whole."""
MAX_JSON_DEPTH = 64
"""Deepest JSON document; those that retain writes have less than twenty levels."""
MAX_INTEGER_BITS = 64
"""Largest integer in a JSON document."""
_OPEN_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)
_FILE_TYPES = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
    stat.S_IFDIR: "a folder",
}


class MissingFileError(RetainError):
    """A file that is not there."""


def open_regular(
    path: Path, *, max_bytes: int | None = None, within: Path | None = None
) -> io.BufferedReader:
    """Return a regular file opened for reading.

    Parameters
    ----------
    max_bytes
        Largest size; None for any.
    within
        A folder that must contain the file after all links are followed; None for any.

    Raises
    ------
    MissingFileError
        If there is no file.
    RetainError
        If it is no regular file, too large, outside the folder, or cannot be read.
    """
    try:
        handle = _open_descriptor(path, within)
    except (FileNotFoundError, NotADirectoryError):
        raise MissingFileError(f"there is no file {str(path)!r}.") from None
    except (OSError, ValueError) as error:  # a NUL in a name, a loop of links, no permission
        raise unreadable_error(path, error) from None
    try:
        stats = os.fstat(handle)
        check_regular(path, stats)
        _check_size(path, stats.st_size, max_bytes)
        return os.fdopen(handle, "rb")
    except BaseException:
        os.close(handle)
        raise


def _open_descriptor(path: Path, within: Path | None) -> int:
    if within is None:
        return os.open(path, _OPEN_FLAGS)
    if _has_no_links(os.fspath(path), os.fspath(within)):
        return os.open(path, _OPEN_FLAGS | _NO_FOLLOW)
    real = os.path.realpath(path, strict=True)
    home = os.path.realpath(within)
    if not real.startswith(os.path.join(home, "")):  # noqa: PTH118 - it ends in a separator
        raise RetainError(f"{path} leads out of {within}, to {real}; expected a file within.")
    return os.open(real, _OPEN_FLAGS | _NO_FOLLOW)


def _has_no_links(path: str, within: str) -> bool:
    """Return whether a path inside a folder contains no links.

    A tenth of the cost of following all links from the root, which matters for thousands of files.
    """
    if not path.startswith(within + os.sep):
        return False
    steps = path[len(within) + 1 :].split(os.sep)  # noqa: PTH206 - pathlib takes ten times as long
    ends = itertools.accumulate(steps, "{}/{}".format, initial=within)
    return os.pardir not in steps and not any(map(os.path.islink, itertools.islice(ends, 1, None)))


def check_regular(path: Path, stats: os.stat_result) -> None:
    """Raise a ``RetainError`` if what a path leads to is no regular file."""
    if not stat.S_ISREG(stats.st_mode):
        kind = _FILE_TYPES.get(stat.S_IFMT(stats.st_mode), "no file")
        raise RetainError(f"{str(path)!r} is {kind}; expected a regular file.")


def read_bytes(path: Path, *, max_bytes: int = MAX_TEXT_BYTES, within: Path | None = None) -> bytes:
    """Return the bytes of a regular file.

    Raises
    ------
    MissingFileError
        If there is no file.
    RetainError
        If it is no regular file, larger than ``max_bytes``, or cannot be read.
    """
    with open_regular(path, max_bytes=max_bytes, within=within) as file:
        size = os.fstat(file.fileno()).st_size
        try:
            content = file.read(size + 1)
            if len(content) > size:  # it has grown, or its size is wrong
                content += file.read(max_bytes + 1 - len(content))
        except OSError as error:
            raise unreadable_error(path, error) from None
    _check_size(path, len(content), max_bytes)
    return content


def read_text(path: Path, *, max_bytes: int = MAX_TEXT_BYTES, within: Path | None = None) -> str:
    """Return the text of a UTF-8 file, bounded like ``read_bytes``."""
    return decode(read_bytes(path, max_bytes=max_bytes, within=within), path)


def decode(content: bytes, name: object) -> str:
    """Return bytes as UTF-8 text, or raise a ``RetainError`` that names the line."""
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise RetainError(f"{name} is not UTF-8 text: line {line} holds other bytes.") from None


def read_json(path: Path, *, max_bytes: int = MAX_TEXT_BYTES, within: Path | None = None) -> Any:
    """Return the document in a JSON file, bounded like ``read_bytes`` and ``parse_json``."""
    return parse_json(read_bytes(path, max_bytes=max_bytes, within=within), str(path))


def read_json_object(
    path: Path, *, max_bytes: int = MAX_TEXT_BYTES, within: Path | None = None
) -> dict[str, Any]:
    """Return the object in a JSON file, or raise a ``RetainError`` for any other document."""
    tree = read_json(path, max_bytes=max_bytes, within=within)
    if not isinstance(tree, dict):
        raise RetainError(f"{path} holds no object; expected {{…}}.")
    return tree


def read_json_lines(path: Path, *, within: Path | None = None) -> Iterator[tuple[int, bytes]]:
    """Yield the number and the bytes of each line of a file that is not blank."""
    lines = read_bytes(path, within=within).splitlines()
    return ((number, line) for number, line in enumerate(lines, start=1) if line.strip())


def parse_json(text: bytes | str, name: str, *, depth: int = MAX_JSON_DEPTH) -> Any:
    """Return a JSON document, or raise a ``RetainError`` with the problem and its position.

    NaN, infinities and lone surrogates are no JSON.

    >>> parse_json('{"a": [1, 2.5]}', "record.json")
    {'a': [1, 2.5]}
    >>> parse_json('{"a": NaN}', "record.json")
    Traceback (most recent call last):
    ...
    retain.errors.RetainError: record.json is not JSON: expected value at line 1 column 7.
    """
    from pydantic_core import from_json

    try:
        plain = text if isinstance(text, str) else decode(text, name)
        tree = from_json(plain, allow_inf_nan=False)
    except ValueError as error:
        raise RetainError(f"{name} is not JSON: {error}.") from None
    check_tree(tree, name, depth=depth)
    return tree


def check_tree(tree: Any, name: str, *, depth: int = MAX_JSON_DEPTH) -> None:
    """Raise a ``RetainError`` if plain values are nested too deep, or numbers are out of range.

    >>> check_tree({"seed": 10**40}, "record.json")
    Traceback (most recent call last):
    ...
    retain.errors.RetainError: record.json: a whole number has 133 bits; expected at most 64.
    """
    level = [tree]
    for _ in range(depth):
        below: list[Any] = []
        for node in level:
            if isinstance(node, str):  # the most frequent kind
                continue
            if isinstance(node, dict):
                below += node.values()
            elif isinstance(node, list | tuple):
                below += node
            elif isinstance(node, float):
                if not math.isfinite(node):
                    raise RetainError.at(name, f"a number is {node}", "expected finite numbers")
            elif isinstance(node, int) and node.bit_length() > MAX_INTEGER_BITS:
                found = f"a whole number has {node.bit_length()} bits"
                raise RetainError.at(name, found, f"expected at most {MAX_INTEGER_BITS}")
        if not below:
            return
        level = below
    raise RetainError(f"{name} is nested too deep; expected at most {depth} levels.")


def unreadable_error(path: Path, error: Exception) -> RetainError:
    """Return a ``RetainError`` for an error of the system, or a library, about reading a file."""
    reason = getattr(error, "strerror", None) or (str(error).splitlines() or [""])[0][:200]
    return RetainError(f"{str(path)!r} cannot be read: {str(reason).removesuffix('.')}.")


def _check_size(path: Path, size: int, max_bytes: int | None) -> None:
    if max_bytes is not None and size > max_bytes:
        found = f"{str(path)!r} has {size:,} bytes or more"
        raise RetainError(f"{found}; expected at most {max_bytes:,}.")


MAX_ARCHIVE_FILES = 200_000
"""Largest number of files in an archive; a forest of 500 trees has 5,000."""
MAX_UNPACKED_BYTES = 2048 * MIB
"""Largest size of the unpacked files of an archive."""
MODEL_SCHEMA_FILE = "schema.json"
"""The file of a model's archive that describes the others."""
MAX_MODEL_SCHEMA_DEPTH = 100
"""Deepest description of a model; a calibrated pipeline has 30 levels."""
ZIP_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    NotImplementedError,
    RuntimeError,
    EOFError,
    ValueError,
)
"""Errors of Python's zip library, such as for an unknown method, a password or damage."""


def check_model_archive(content: bytes, path: Path) -> None:
    """Raise a ``RetainError`` if bytes are no archive of a model, or unpack to too much.

    Headers may be wrong about sizes, but no more than they say is ever unpacked.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
            size = sum(member.file_size for member in members)
            if len(members) > MAX_ARCHIVE_FILES or size > MAX_UNPACKED_BYTES:
                message = f"{len(members):,} files that unpack to {size / MIB:,.0f} MiB"
                bound = f"{MAX_ARCHIVE_FILES:,} files and {MAX_UNPACKED_BYTES / MIB:,.0f} MiB"
                raise RetainError(f"{path} holds {message}; expected at most {bound}.")
            text = archive.read(MODEL_SCHEMA_FILE)
    except KeyError:
        raise RetainError(f"{path} is not a model: it holds no {MODEL_SCHEMA_FILE}.") from None
    except ZIP_ERRORS as error:
        raise RetainError(f"{path} cannot be read as a model: {error}.") from None
    name = f"{path}: {MODEL_SCHEMA_FILE}"
    if not isinstance(parse_json(text, name, depth=MAX_MODEL_SCHEMA_DEPTH), dict):
        raise RetainError(f"{name} holds no object; expected a model's.")
