"""Standard output and error of the commands.

Texts come from data, records and libraries and may hold control sequences. So control characters
are removed, and a character that the terminal cannot encode is replaced. Imports nothing heavy;
Rich's output comes through ``cli.terminal.console``.
"""

from __future__ import annotations

import codecs
import io
import json
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

from retain.cli.signals import SIGPIPE, TerminationRequested, discard_output
from retain.errors import RetainError
from retain.wording import BIDI_CONTROLS

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
"""Replacements of characters that a terminal cannot encode; all others become ``?``."""
COLOUR = "\x1b\\[[0-9;]*m"
CONTROL = f"[\x00-\x08\x0b-\x1f\x7f-\x9f{BIDI_CONTROLS}]"
SEPARATOR = "[\u2028\u2029\x85]"
"""Unicode line separators."""
_SEPARATORS = re.compile(SEPARATOR)
_CONTROLS = re.compile(f"{COLOUR}|{CONTROL}")
ENCODE_ERRORS = "retain.readable"


def clean(text: str) -> str:
    r"""Return a text without control characters except newline and tab.

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
    """Return a text with the characters replaced that an encoding lacks.

    >>> replace_unencodable("1 → 2, ≥ 3–4 Москва", "cp1251")
    '1 -> 2, >= 3–4 Москва'
    """
    try:
        return text.encode(encoding, ENCODE_ERRORS).decode(encoding)
    except (LookupError, ValueError):
        return text


def _replace_at(error: UnicodeError) -> tuple[str, int]:
    """Return the replacement of an unencodable character; the codec's error handler."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    bad = error.object[error.start : error.end]
    return "".join(READABLE.get(one, "?") for one in bad), error.end


codecs.register_error(ENCODE_ERRORS, _replace_at)


class SafeOutput(io.TextIOBase):
    """Standard output of a command: texts are cleaned, and a closed pipe ends the command.

    Parameters
    ----------
    stream
        The stream below; None if the output is closed.
    cleaned
        False for a writer that cleans texts before it adds its own control sequences.
    """

    def __init__(self, stream: TextIO | None, *, cleaned: bool = True) -> None:
        self.stream = stream
        self._cleaned = cleaned

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """The encoding of the stream below."""
        return getattr(self.stream, "encoding", None) or "utf-8"

    @property
    def buffer(self) -> object:
        """The binary stream below, for libraries that ask for it."""
        return getattr(self.stream, "buffer", None)

    def isatty(self) -> bool:
        """Return whether the output is a terminal."""
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
        TerminationRequested
        When the reader has closed the pipe (``| head``).
        RetainError
            When it cannot be written.
        """
        with self._handle_write_errors():
            if self.stream is not None:
                self.stream.write(clean(text) if self._cleaned else text)
        return len(text)

    def flush(self) -> None:
        """Flush the stream; raises as ``write`` does.

        Python does so too when this object is forgotten, which may be after the stream was closed.
        """
        with self._handle_write_errors():
            if self.stream is not None and not self.stream.closed:
                self.stream.flush()

    @contextmanager
    def _handle_write_errors(self) -> Iterator[None]:
        try:
            yield
        except BrokenPipeError:
            discard_output(self.fileno())
            raise TerminationRequested(SIGPIPE) from None
        except OSError as error:
            discard_output(self.fileno())
            why = os.strerror(error.errno or 0)
            raise RetainError(f"standard output cannot be written: {why}.") from None


class SafeErrors(SafeOutput):
    """Standard error, whose write errors are ignored."""

    @contextmanager
    def _handle_write_errors(self) -> Iterator[None]:
        with suppress(OSError):
            yield


class SilentOutput(SafeOutput):
    """Standard output while a command is silent; ``hidden`` is the output below."""

    def __init__(self, hidden: TextIO) -> None:
        super().__init__(None)
        self.hidden = hidden


@contextmanager
def silent_output() -> Iterator[None]:
    """Silence standard output except for ``write_json``."""
    before, sys.stdout = sys.stdout, SilentOutput(sys.stdout)
    try:
        yield
    finally:
        sys.stdout = before


def is_silent() -> bool:
    """Return whether standard output is silent."""
    return isinstance(sys.stdout, SilentOutput)


@contextmanager
def safe_terminal() -> Iterator[None]:
    """Clean everything written to ``sys.stdout`` and ``sys.stderr``, by libraries too."""
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
    """Open closed ones of standard input, output and error.

    Otherwise a file of ours would get a free descriptor 0–2, and libraries would print into it.
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
    """Write a document to standard output in ASCII, also while other output is silent."""
    stream = sys.stdout
    SafeOutput(stream.hidden if isinstance(stream, SilentOutput) else stream).write(
        json.dumps(document, indent=1) + "\n"
    )


def flush_output() -> None:
    """Flush standard output; raises as ``SafeOutput.write`` does."""
    SafeOutput(sys.stdout).flush()


def write_error(text: str) -> None:
    """Write a text to standard error."""
    errors = SafeErrors(sys.stderr)
    errors.write(text)
    errors.flush()


def write_progress(text: str) -> None:
    """Replace the last line of a terminal by a text; nothing in a file or pipe."""
    stream = sys.stderr
    while isinstance(stream, SafeOutput) and stream.stream is not None:
        stream = stream.stream
    errors = SafeErrors(stream, cleaned=False)
    if errors.isatty() and not isinstance(sys.stdout, SilentOutput):
        errors.write(f"\r\x1b[K{clean_line(text)}")
        errors.flush()


def write_passing(words: str) -> None:
    """Write words to a terminal on standard error, which the next ones replace; nothing else."""
    if sys.stderr is not None and sys.stderr.isatty():
        sys.stderr.write(f"{words}\r")
        sys.stderr.flush()
