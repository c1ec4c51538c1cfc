"""Options for reading a text file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from retain.customers.files.bad_rows import RowPolicy
from retain.customers.files.encoding import decode, decode_damaged, read_content


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
