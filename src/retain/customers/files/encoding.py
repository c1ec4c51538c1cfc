"""Text files: existence, bytes and encoding, and the options for reading them."""

from __future__ import annotations

import codecs
import logging
import re
import stat
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from retain.customers.cells.numbers import truncate
from retain.customers.files.bad_rows import RowPolicy
from retain.customers.files.code_pages import CODE_PAGES, fitting_code_pages
from retain.errors import RetainError, did_you_mean, examples, type_value
from retain.storage.paths import parse_path
from retain.storage.reading import MAX_TABLE_BYTES, check_regular, read_bytes

_HEAD = 1 << 16  # bytes searched for the zero bytes of UTF-16
NOT_TEXT = ("Cc", "Cn", "Co", "Cs")
"""Unicode categories that are rare in text: control, unassigned, private, surrogate."""
MAX_DAMAGED_SHARE = 0.02
"""Largest share of such characters in a text, damaged ones included."""
_PLAIN = re.compile("[ -\xff\t\n\v\f\r]")  # \x80 to \x9f may be letters of another code page
_CONTROL_BYTES = re.compile(rb"[\x00-\x08\x0e-\x1f]")
_NOT_TEXT_HINT = " (a workbook, an archive or an image?); expected CSV in UTF-8."


def decode(
    path: Path, data: bytes, encoding: str | None = None, key: str = "data.encoding"
) -> tuple[str, str]:
    """Return the encoding of the file and its text.

    ``encoding`` is the one the user names under ``key``, which is empty without such a key.

    Raises
    ------
    RetainError
        The file is not text, not in the encoding, or its encoding is uncertain.
    """
    encoding, text = _decode(path, data, encoding, key)
    if "\0" in text or not _looks_like_text(text):
        raise RetainError(f"file {str(path)!r} is not text{_NOT_TEXT_HINT}")
    if not text.strip():
        raise RetainError(f"file {str(path)!r} is empty; expected a header and rows.")
    return encoding, text


def _decode(path: Path, data: bytes, named: str | None, key: str) -> tuple[str, str]:
    if named is not None:
        return named, _decode_as(path, data, named, key)
    encoding = _marked_encoding(data)
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        if encoding != "utf-8" or _mostly_utf8(data):
            line = data.count(b"\n", 0, error.start) + 1
            problem = f"file {str(path)!r} is {encoding}, but its line {line} is not"
            raise RetainError(f"{problem}; save the file again as UTF-8 text.") from None
        return _decode_code_page(path, data, key)
    return encoding, text


def decode_damaged(
    path: Path, data: bytes, encoding: str | None = None, key: str = ""
) -> tuple[str, str]:
    """Return encoding and text as ``decode``, with U+FFFD for bytes that UTF-8 does not have."""
    try:
        return decode(path, data, encoding, key)
    except RetainError:
        is_utf8 = _marked_encoding(data) in ("utf-8", "utf-8-sig") and _mostly_utf8(data)
        if encoding is not None or not is_utf8:
            raise
    return decode(path, data.decode("utf-8", errors="replace").encode("utf-8"))


def head_as_utf8(content: bytes, characters: int) -> tuple[str, str] | None:
    """Return the encoding and at least the first ``characters`` of a UTF-8 file; else None."""
    head = content[: 4 * characters + 4]
    encoding = _marked_encoding(head)
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(head)
    except UnicodeDecodeError:
        return None
    is_text = encoding.startswith("utf-8") and text.strip() and "\0" not in text
    return (encoding, text) if is_text else None


def _marked_encoding(data: bytes) -> str:
    """Return the encoding indicated by a byte order mark or zero bytes; UTF-8 otherwise."""
    if data.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    head = data[:_HEAD]
    even, odd = head[::2].count(0), head[1::2].count(0)
    if min(even, odd) > 0 or max(even, odd) < max(4, len(head) // 10):
        return "utf-8"
    return "utf-16-le" if odd else "utf-16-be"


def _looks_like_text(text: str) -> bool:
    r"""Return whether control and unassigned characters are rare at the beginning of a text.

    >>> _looks_like_text("id,city\n1,Москва\n"), _looks_like_text("\x89PNG\x1a\x0d\x01")
    (True, False)
    """
    head = _PLAIN.sub("", text[:_HEAD])
    odd = sum(unicodedata.category(one) in NOT_TEXT for one in head)
    return odd <= MAX_DAMAGED_SHARE * len(text[:_HEAD])


def _mostly_utf8(data: bytes) -> bool:
    """Return whether a file that does not decode as UTF-8 is damaged UTF-8."""
    valid = data.decode("utf-8", errors="ignore")
    marked = data.decode("utf-8", errors="replace")
    letters = len(valid.encode("utf-8")) - len(valid)  # bytes beyond one per character
    return letters > marked.count("\ufffd")


def _decode_code_page(path: Path, data: bytes, key: str) -> tuple[str, str]:
    """Return the code page and the text; raise if none or several fit."""
    if _CONTROL_BYTES.search(data):
        raise RetainError(f"file {str(path)!r} is not text{_NOT_TEXT_HINT}")
    pages = fitting_code_pages(data)
    if len(pages) == 1:
        page = pages[0]
        log = logging.getLogger(__name__)
        log.info("%s: not UTF-8; %s by its letters: %s", path.name, page.name, page.example)
        return page.name, data.decode(page.name, errors="replace")
    if not key:
        raise RetainError(
            f"file {str(path)!r} is not UTF-8, and its encoding is uncertain; save it as UTF-8."
        )
    if not pages:
        problem = f"file {str(path)!r} is not UTF-8, and its letters fit no other encoding"
        raise RetainError(
            f"{problem} for certain; save it as UTF-8, or name its encoding: {key}=NAME."
        )
    readings = "; ".join(f"{type_value(key, page.name)} reads {page.example}" for page in pages)
    raise RetainError(f"file {str(path)!r} is not UTF-8, and several encodings fit: {readings}.")


def _decode_as(path: Path, data: bytes, encoding: str, key: str) -> str:
    """Return the text in the encoding that the user names."""
    try:
        name = codecs.lookup(encoding).name
        text = data.decode("utf-8-sig" if name == "utf-8" else name)
    except UnicodeError as error:
        start = error.start if isinstance(error, UnicodeDecodeError) else 0
        line = data.count(b"\n", 0, start) + 1
        raise RetainError(
            f"file {str(path)!r} is not {encoding}: its line {line} holds other bytes; expected "
            f"another {key}."
        ) from None
    except (LookupError, ValueError):  # no such codec, or a name that no codec can have
        known = f"expected a name such as {', '.join(('utf-8', *CODE_PAGES))}"
        raise RetainError.at(key, f"it is {encoding!r}", known) from None
    if not isinstance(text, str):  # a codec of bytes, such as hex
        raise RetainError.at(key, f"it is {encoding!r}", "expected one of text")
    return text


def resolve_path(typed: str, key: str) -> Path:
    """Return the path of a typed text; raise for a URL, which may hold a password.

    >>> resolve_path("postgresql://ann:secret@db/shop", "data.path")
    Traceback (most recent call last):
    ...
    retain.errors.RetainError: data.path: it is a URL; expected a path on this machine \
(a log in a database is read by data=purchases).
    """
    if "://" in typed:
        expected = "expected a path on this machine (a log in a database is read by data=purchases)"
        raise RetainError.at(key, "it is a URL", expected)
    return parse_path(key, typed)


def read_content(path: Path) -> bytes:
    """Return the bytes of the file; raise with the nearest name if it does not exist."""
    check_exists(path)
    return read_bytes(path, max_bytes=MAX_TABLE_BYTES)


def check_exists(path: Path) -> None:
    """Raise if a path is not a regular file, naming the nearest file or folder."""
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        raise RetainError(_missing_file_message(path)) from None
    except (OSError, ValueError) as error:  # a name too long, or with a NUL in it
        reason = getattr(error, "strerror", None) or error
        message = f"path {truncate(str(path))!r} is not a file name: {reason}"
        raise RetainError(f"{message}; expected the path of a file.") from None
    if stat.S_ISDIR(status.st_mode):
        raise RetainError(f"{str(path)!r} is a folder; expected a file in it.{_list_files(path)}")
    check_regular(path, status)


def _missing_file_message(path: Path) -> str:
    folder = path.parent
    if folder.is_dir():
        similar = _similar_names(path.name, folder)
        return f"file {path.name!r} is not in folder {str(folder)!r}.{similar}"
    while not folder.parent.is_dir():
        folder = folder.parent
    names = [child.name for child in _children(folder.parent) if child.is_dir()]
    return f"folder {str(folder)!r} does not exist.{did_you_mean(folder.name, names)}"


def _similar_names(name: str, folder: Path) -> str:
    names = [child.name for child in _children(folder) if child.is_file()]
    return did_you_mean(name, names) or _list_files(folder)


def _list_files(folder: Path) -> str:
    names = [child.name for child in _children(folder) if child.is_file()]
    return f" The folder holds {examples(names)}." if names else " The folder holds no files."


def _children(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


@dataclass(frozen=True, slots=True)
class TextOptions:
    """Options for reading a text file.

    Attributes
    ----------
    content
        The content of the file if it was read before, unpacked.
    encoding
        The encoding that the user names, None to detect it.
    encoding_key
        The key under which the user may name it, empty without one.
    policy
        The handling of rows that cannot be read; None: an error, as there is no other.
    header_line
        The line of the header, from 1; None: detected.
    """

    content: bytes | None = None
    encoding: str | None = None
    encoding_key: str = ""
    policy: RowPolicy | None = None
    header_line: int | None = None

    def decode(self, path: Path, *, damaged: bool = False) -> tuple[str, str]:
        """Return the encoding and the text, with U+FFFD for ``damaged`` bytes if that is set."""
        data = read_content(path) if self.content is None else self.content
        return (decode_damaged if damaged else decode)(path, data, self.encoding, self.encoding_key)
