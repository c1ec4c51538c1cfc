"""Files read as if a stranger had written them: regular files alone, of bounded size and depth.

Nothing outside this room opens a file to read it. A pipe, a device, a folder or, where a folder is
given, a link that leads out of it is refused before a byte is read, so that nothing ever hangs.
"""

from __future__ import annotations

import io
import itertools
import os
import stat
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from retain.errors import RetainError

MIB = 2**20
TEXT_BYTES = 256 * MIB
"""Bytes of a text or a JSON document at most; a verdict over ten thousand runs has some ten MiB."""
DATA_BYTES = 16 * 1024 * MIB
"""Bytes of a table at most that is held in memory as a whole."""
JSON_DEPTH = 64
"""Levels of a JSON document at most; what retain writes has under twenty."""
WHOLE_NUMBER_BITS = 64
"""Bits of a whole number in a JSON document at most."""
_OPENED = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
_AS_IT_IS = getattr(os, "O_NOFOLLOW", 0)
_KINDS = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
    stat.S_IFDIR: "a folder",
}


class MissingFileError(RetainError):
    """A file that is not there."""


def open_regular(
    path: Path, *, most_bytes: int | None = None, within: Path | None = None
) -> io.BufferedReader:
    """Return a regular file opened for reading.

    Parameters
    ----------
    most_bytes
        How large it may be; None for any size.
    within
        A folder that the file must lie in when all links are followed; None for anywhere.

    Raises
    ------
    MissingFileError
        If there is nothing at the path.
    RetainError
        If it is no regular file, lies elsewhere, or cannot be read.
    """
    try:
        handle = _handle(path, within)
    except (FileNotFoundError, NotADirectoryError):
        raise MissingFileError(f"there is no file {str(path)!r}.") from None
    except (OSError, ValueError) as error:  # a NUL in a name, a loop of links, no right to read
        raise unreadable(path, error) from None
    try:
        found = os.fstat(handle)
        check_regular(path, found)
        _check_size(path, found.st_size, most_bytes)
        return os.fdopen(handle, "rb")
    except BaseException:
        os.close(handle)
        raise


def _handle(path: Path, within: Path | None) -> int:
    if within is None:
        return os.open(path, _OPENED)
    if _has_no_links(os.fspath(path), os.fspath(within)):
        return os.open(path, _OPENED | _AS_IT_IS)
    real = os.path.realpath(path, strict=True)
    home = os.path.realpath(within)
    if not real.startswith(os.path.join(home, "")):  # noqa: PTH118 - it ends in a separator
        raise RetainError(f"{path} leads out of {within}, to {real}; expected a file within.")
    return os.open(real, _OPENED | _AS_IT_IS)


def _has_no_links(path: str, within: str) -> bool:
    """Return whether a path leads straight from a folder to a file, as it does but for an attack.

    It costs a tenth of following all links from the root, which thousands of records would feel.
    """
    if not path.startswith(within + os.sep):
        return False
    steps = path[len(within) + 1 :].split(os.sep)  # noqa: PTH206 - pathlib takes ten times as long
    ends = itertools.accumulate(steps, "{}/{}".format, initial=within)
    return os.pardir not in steps and not any(map(os.path.islink, itertools.islice(ends, 1, None)))


def check_regular(path: Path, found: os.stat_result) -> None:
    """Raise a ``RetainError`` if what a path leads to is no regular file."""
    if not stat.S_ISREG(found.st_mode):
        kind = _KINDS.get(stat.S_IFMT(found.st_mode), "no file")
        raise RetainError(f"{str(path)!r} is {kind}; expected a regular file.")


def read_bytes(path: Path, *, most_bytes: int = TEXT_BYTES, within: Path | None = None) -> bytes:
    """Return the bytes of a regular file.

    Raises
    ------
    MissingFileError
        If it is not there.
    RetainError
        If it is no regular file, larger than ``most_bytes``, or cannot be read.
    """
    with open_regular(path, most_bytes=most_bytes, within=within) as file:
        size = os.fstat(file.fileno()).st_size
        try:
            found = file.read(size + 1)
            if len(found) > size:  # it has grown, or hides its size
                found += file.read(most_bytes + 1 - len(found))
        except OSError as error:
            raise unreadable(path, error) from None
    _check_size(path, len(found), most_bytes)
    return found


def read_text(path: Path, *, most_bytes: int = TEXT_BYTES, within: Path | None = None) -> str:
    """Return the text of a UTF-8 file, bounded as by ``read_bytes``."""
    return decode(read_bytes(path, most_bytes=most_bytes, within=within), path)


def decode(found: bytes, where: object) -> str:
    """Return bytes as UTF-8 text, or raise a ``RetainError`` that names the line."""
    try:
        return found.decode("utf-8")
    except UnicodeDecodeError as error:
        line = found.count(b"\n", 0, error.start) + 1
        raise RetainError(f"{where} is no UTF-8 text: line {line} holds other bytes.") from None


def read_json(path: Path, *, most_bytes: int = TEXT_BYTES, within: Path | None = None) -> Any:
    """Return the document in a JSON file, bounded as by ``read_bytes`` and ``parse_json``."""
    return parse_json(read_bytes(path, most_bytes=most_bytes, within=within), str(path))


def read_json_object(
    path: Path, *, most_bytes: int = TEXT_BYTES, within: Path | None = None
) -> dict[str, Any]:
    """Return the object in a JSON file; any other document is refused."""
    tree = read_json(path, most_bytes=most_bytes, within=within)
    if not isinstance(tree, dict):
        raise RetainError(f"{path} holds no object; expected {{…}}.")
    return tree


def read_json_lines(path: Path, *, within: Path | None = None) -> Iterator[tuple[int, bytes]]:
    """Yield number and bytes of each line of a file that is not blank, for its reader to parse."""
    lines = read_bytes(path, within=within).splitlines()
    return ((number, line) for number, line in enumerate(lines, start=1) if line.strip())


def parse_json(text: bytes | str, where: str, *, depth: int = JSON_DEPTH) -> Any:
    """Return a JSON document, or raise a ``RetainError`` that names what is wrong and where.

    NaN and infinities are no JSON; neither are halves of surrogate pairs, which no file can hold.

    >>> parse_json('{"a": [1, 2.5]}', "record.json")
    {'a': [1, 2.5]}
    >>> parse_json('{"a": NaN}', "record.json")
    Traceback (most recent call last):
    ...
    retain.errors.RetainError: record.json is not JSON: expected value at line 1 column 7.
    """
    from pydantic_core import from_json

    try:
        plain = text if isinstance(text, str) else decode(text, where)
        tree = from_json(plain, allow_inf_nan=False)
    except ValueError as error:
        raise RetainError(f"{where} is not JSON: {error}.") from None
    check_tree(tree, where, depth=depth)
    return tree


def check_tree(tree: Any, where: str, *, depth: int = JSON_DEPTH) -> None:
    """Raise a ``RetainError`` if plain values lie too deep, or hold numbers none can compute with.

    >>> check_tree({"seed": 10**40}, "record.json")
    Traceback (most recent call last):
    ...
    retain.errors.RetainError: record.json: a whole number has 133 bits; expected at most 64.
    """
    level = [tree]
    for _ in range(depth):
        level = [below for node in level for below in _below(node, where)]
        if not level:
            return
    raise RetainError(f"{where} is nested too deep; expected at most {depth} levels.")


def _below(node: Any, where: str) -> Iterator[Any]:
    """Yield what a node holds, where it holds anything."""
    if isinstance(node, dict):
        yield from node.values()
    elif isinstance(node, list | tuple):
        yield from node
    elif isinstance(node, int) and node.bit_length() > WHOLE_NUMBER_BITS:
        found = f"a whole number has {node.bit_length()} bits"
        raise RetainError.at(where, found, f"expected at most {WHOLE_NUMBER_BITS}")
    elif isinstance(node, float) and not -float("inf") < node < float("inf"):
        raise RetainError.at(where, f"a number is {node}", "expected finite numbers")


OLDER_RETAIN = "0.1"
"""Version of retain that reads every document whose schema is older than today's."""
WRITE_ANEW = "run the command that wrote it again"


def check_schema(found: object, expected: int, where: object, *, anew: str = WRITE_ANEW) -> None:
    """Raise a ``RetainError`` if a document has another schema than this version reads.

    ``anew`` says how to get a document of this version.

    >>> check_schema(3, 4, "verdict.json")
    Traceback (most recent call last):
    ...
    retain.errors.RetainError: verdict.json has schema 3, which retain 0.1 reads; this version \
    reads schema 4. Install retain 0.1, or run the command that wrote it again.
    """
    if found == expected:
        return
    if not isinstance(found, int) or isinstance(found, bool):
        found_text = f"no schema number ({str(found)[:40]!r})"
        remedy = f"{anew[0].upper()}{anew[1:]}"
    elif found < expected:
        found_text = f"schema {found}, which retain {OLDER_RETAIN} reads"
        remedy = f"Install retain {OLDER_RETAIN}, or {anew}"
    else:
        found_text = f"schema {found}, which a newer retain reads"
        remedy = f"Install the newer retain, or {anew}"
    raise RetainError(f"{where} has {found_text}; this version reads schema {expected}. {remedy}.")


def unreadable(path: Path, error: Exception) -> RetainError:
    """Return the error that says why the system, or a library, cannot read a file."""
    why = getattr(error, "strerror", None) or (str(error).splitlines() or [""])[0][:200]
    return RetainError(f"{str(path)!r} cannot be read: {str(why).removesuffix('.')}.")


def _check_size(path: Path, size: int, most: int | None) -> None:
    if most is not None and size > most:
        found = f"{str(path)!r} has {size:,} bytes or more"
        raise RetainError(f"{found}; expected at most {most:,}.")


MEMBERS = 200_000
"""Files in an archive at most; a forest of 500 trees has 5,000."""
UNPACKED_BYTES = 2048 * MIB
"""Bytes that all files of an archive unpack to at most."""
DESCRIPTION = "schema.json"
"""The file of a model's archive that says what the others are."""
DESCRIPTION_DEPTH = 100
"""Levels of a model's description at most; a calibrated pipeline has 30."""
BAD_ZIP = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, ValueError)
"""What Python's zip library raises: an unknown method or version, a password, a cut or a flip."""


def check_model_archive(found: bytes, path: Path) -> None:
    """Raise a ``RetainError`` if bytes are no archive of a model, or unpack to too much.

    A header may lie about a size; no more than it says is ever unpacked.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(found)) as archive:
            members = archive.infolist()
            size = sum(member.file_size for member in members)
            if len(members) > MEMBERS or size > UNPACKED_BYTES:
                message = f"{len(members):,} files that unpack to {size / MIB:,.0f} MiB"
                most = f"{MEMBERS:,} files and {UNPACKED_BYTES / MIB:,.0f} MiB"
                raise RetainError(f"{path} holds {message}; expected at most {most}.")
            text = archive.read(DESCRIPTION)
    except KeyError:
        raise RetainError(f"{path} is no model: it holds no {DESCRIPTION}.") from None
    except BAD_ZIP as error:
        raise RetainError(f"{path} cannot be read as a model: {error}.") from None
    where = f"{path}: {DESCRIPTION}"
    if not isinstance(parse_json(text, where, depth=DESCRIPTION_DEPTH), dict):
        raise RetainError(f"{where} holds no object; expected a model's.")
