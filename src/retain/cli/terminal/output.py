"""The printing door: what a command writes to standard output and error goes through here.

Texts come from data, records and libraries, and a terminal obeys what is in them. So control
characters are removed, and a character that the terminal cannot encode is replaced by one that
it can. Imports nothing heavy; what Rich prints comes through ``cli.terminal.console``.
"""

from __future__ import annotations

import codecs
import io
import json
import os
import re
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

from retain.cli.signals import TerminationRequested, discard_output
from retain.errors import RetainError

READABLE = {
    **dict.fromkeys("–—−‐‑‒", "-"),
    **dict.fromkeys("“”„«»", '"'),
    **dict.fromkeys("‘’‚", "'"),
    "→": "->",
    "←": "<-",
    "↑": "up",
    "↓": "down",
    "…": "...",
    "≥": ">=",
    "≤": "<=",
    "±": "+/-",
    "·": "/",
    "×": "x",
    "Δ": "d",
    "τ": "tau",
    "\N{NO-BREAK SPACE}": " ",
    "\N{NARROW NO-BREAK SPACE}": " ",
}
"""What a character becomes where the terminal has none such; any other becomes ``?``."""
COLOUR = "\x1b\\[[0-9;]*m"
CONTROL = "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"
SEPARATOR = "[\u2028\u2029\x85]"
"""Line ends that no text of ours has, C1's among them."""
_SEPARATORS = re.compile(SEPARATOR)
_CONTROLS = re.compile(f"{COLOUR}|{CONTROL}")
ENCODE_ERRORS = "retain.readable"


def clean(text: str) -> str:
    r"""Return a text without what a terminal would obey: newline and tab alone are left.

    >>> clean("red\x1b[31m, gone\x1b[2J\r\n")
    'red, gone[2J\n'
    """
    if text.isascii() and text.isprintable():
        return text
    return _CONTROLS.sub("", _SEPARATORS.sub(" ", text))


def clean_line(text: str) -> str:
    r"""Return a text from data as one clean line.

    >>> clean_line("one\r\ntwo\x07")
    'one two'
    """
    return clean(" ".join(text.split("\n")).replace("\t", " "))


def replace_unencodable(text: str, encoding: str) -> str:
    """Return a text of characters that an encoding has.

    >>> replace_unencodable("1 → 2, ≥ 3–4 Москва", "cp1251")
    '1 -> 2, >= 3–4 Москва'
    """
    try:
        return text.encode(encoding, ENCODE_ERRORS).decode(encoding)
    except (LookupError, ValueError):
        return text


def _replace_at(error: UnicodeError) -> tuple[str, int]:
    """Replace what an encoder stumbled over; the codec's error handler."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    bad = error.object[error.start : error.end]
    return "".join(READABLE.get(one, "?") for one in bad), error.end


codecs.register_error(ENCODE_ERRORS, _replace_at)


class SafeOutput(io.TextIOBase):
    """Standard output as a command sees it: texts are cleaned, and who reads may go away.

    Parameters
    ----------
    stream
        Where texts go; None where the output is closed, and nothing is said.
    cleaned
        False for a writer that cleans texts before it adds its own control sequences.
    """

    def __init__(self, stream: TextIO | None, *, cleaned: bool = True) -> None:
        self.stream = stream
        self._cleaned = cleaned

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """The encoding of what lies below."""
        return getattr(self.stream, "encoding", None) or "utf-8"

    @property
    def buffer(self) -> object:
        """The binary stream below, for libraries that ask for it."""
        return getattr(self.stream, "buffer", None)

    def isatty(self) -> bool:
        """Return whether a person watches."""
        return self.stream is not None and self.stream.isatty()

    def fileno(self) -> int:
        """Return the file's descriptor."""
        if self.stream is None:
            raise io.UnsupportedOperation("fileno")
        return self.stream.fileno()

    def writable(self) -> bool:
        """Return that texts can be written."""
        return True

    def write(self, text: str, /) -> int:
        """Write a text.

        Raises
        ------
        AskedToEnd
            When nobody reads any more (``| head``).
        RetainError
            When it cannot be written.
        """
        with self._answered():
            if self.stream is not None:
                self.stream.write(clean(text) if self._cleaned else text)
        return len(text)

    def flush(self) -> None:
        """Have written what was written; raises as ``write`` does."""
        with self._answered():
            if self.stream is not None:
                self.stream.flush()

    @contextmanager
    def _answered(self) -> Iterator[None]:
        try:
            yield
        except BrokenPipeError:
            discard_output(self.fileno())
            raise TerminationRequested(signal.SIGPIPE) from None
        except OSError as error:
            discard_output(self.fileno())
            why = os.strerror(error.errno or 0)
            raise RetainError(f"standard output cannot be written: {why}.") from None


class SafeErrors(SafeOutput):
    """Standard error: where it cannot be written there is nobody left to say so to."""

    @contextmanager
    def _answered(self) -> Iterator[None]:
        with suppress(OSError):
            yield


class SilentOutput(SafeOutput):
    """Standard output while a command is silent; ``hidden`` is what lies below."""

    def __init__(self, hidden: TextIO) -> None:
        super().__init__(None)
        self.hidden = hidden


@contextmanager
def silent_output() -> Iterator[None]:
    """Let nothing reach standard output but what ``write_json`` writes."""
    before, sys.stdout = sys.stdout, SilentOutput(sys.stdout)
    try:
        yield
    finally:
        sys.stdout = before


@contextmanager
def safe_terminal() -> Iterator[None]:
    """Have everything written to ``sys.stdout`` and ``sys.stderr`` go through this door.

    Warnings, logging and what libraries print come along.
    """
    _open_closed_files()
    before = sys.stdout, sys.stderr
    for stream in before:
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=ENCODE_ERRORS)
    sys.stdout, sys.stderr = SafeOutput(before[0]), SafeErrors(before[1])
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def _open_closed_files() -> None:
    """Open what is closed of standard input, output and error, lest a file of ours takes its place.

    A new descriptor is the lowest one free: what a library prints would land in that file.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


def raw_output() -> SafeOutput:
    """Return standard output for a writer that cleans texts itself."""
    stream = sys.stdout
    while isinstance(stream, SafeOutput) and stream.stream is not None:
        stream = stream.stream
    return SafeOutput(stream, cleaned=False)


def write_output(text: str) -> None:
    """Write a text to standard output."""
    SafeOutput(sys.stdout).write(text)


def write_json(document: object) -> None:
    """Write a document to standard output, in ASCII, also while other output is silent."""
    stream = sys.stdout
    SafeOutput(stream.hidden if isinstance(stream, SilentOutput) else stream).write(
        json.dumps(document, indent=1) + "\n"
    )


def flush_output() -> None:
    """Have standard output written, or raise what keeps it from that."""
    SafeOutput(sys.stdout).flush()


def write_error(text: str) -> None:
    """Write a text to standard error."""
    errors = SafeErrors(sys.stderr)
    errors.write(text)
    errors.flush()


def write_progress(text: str) -> None:
    """Show a text in place of the last one at the end of a terminal; nothing in a file or pipe."""
    stream = sys.stderr
    while isinstance(stream, SafeOutput) and stream.stream is not None:
        stream = stream.stream
    errors = SafeErrors(stream, cleaned=False)
    if errors.isatty() and not isinstance(sys.stdout, SilentOutput):
        errors.write(f"\r\x1b[K{clean_line(text)}")
        errors.flush()
