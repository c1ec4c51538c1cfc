"""Words, numbers and signs of the two small languages of a log: formulas and filters."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from retain.errors import RetainError

TokenKind = Literal["name", "column", "text", "date", "number", "sign", "end"]

MAX_CHARACTERS = 2_000
"""Longest formula or filter."""
MAX_LEVELS = 40
"""Brackets and ``not`` within each other, at most."""
KEYWORDS = ("and", "or", "not", "in", "is", "missing")
"""Words of a filter, which stand in quotes as names and values."""

_TOKEN = re.compile(
    r"""\s*(?:(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2}(?![\w.-]))
    |(?P<number>[0-9]+(?:[.][0-9]+)?(?![\w.]))
    |(?P<name>[^\W\d]\w*)
    |"(?P<column>(?:[^"]|"")+)"
    |'(?P<text>(?:[^']|'')*)'
    |(?P<sign><=|>=|!=|<>|==|[-=<>+*(),])
    |(?P<end>\Z))""",
    re.VERBOSE,
)
_PLAIN_NAME = re.compile(r"[^\W\d]\w*")


@dataclass(frozen=True, slots=True)
class Token:
    """A token: the text without its quotes, and where it begins in the source."""

    kind: TokenKind
    text: str
    start: int

    def is_word(self, word: str) -> bool:
        """Return True for a keyword, in any case of letters and without quotes."""
        return self.kind == "name" and self.text.lower() == word

    def is_sign(self, *signs: str) -> bool:
        """Return True for one of these signs."""
        return self.kind == "sign" and self.text in signs


@dataclass
class TokenReader:
    """Tokens of a source, read from left to right; ``example`` is shown with every mistake."""

    key: str
    source: str
    example: str
    index: int = 0
    level: int = 0

    def __post_init__(self) -> None:
        """Split the source."""
        self.tokens = list(self._split())

    def _split(self) -> list[Token]:
        if len(self.source) > MAX_CHARACTERS:
            found = f"it has {len(self.source):,} characters"
            raise RetainError.at(self.key, found, f"expected at most {MAX_CHARACTERS:,}")
        if "\0" in self.source:
            raise RetainError.at(self.key, "it holds NUL", "expected text")
        tokens: list[Token] = []
        position = 0
        while not tokens or tokens[-1].kind != "end":
            match = _TOKEN.match(self.source, position)
            if match is None:
                raise self._unknown_sign(position)
            kind: TokenKind = match.lastgroup  # type: ignore[assignment] # the groups are kinds
            quote = {"column": '"', "text": "'"}.get(kind, "")
            text = match[kind].replace(quote * 2, quote) if quote else match[kind]
            tokens.append(Token(kind, text, match.start(kind)))
            position = match.end()
        return tokens

    def _unknown_sign(self, position: int) -> RetainError:
        rest = self.source[position:].lstrip()
        if rest[0] in "'\"":
            return self.mistake(f"a quote is not closed: {rest[:40]}", "a second quote")
        word = re.match(r"[\w.]+|.", rest, re.DOTALL)
        shown = word[0][:40] if word else rest[:1]
        if shown[0].isdigit():
            return self.mistake(f"{shown!r} is no number", f"a number, or '{shown}' in quotes")
        joint = {"&": "and", "|": "or", "!": "not"}.get(shown)
        return self.mistake(f"the sign {shown!r} has no meaning", joint or "names and numbers")

    @property
    def next(self) -> Token:
        """The token to be read next."""
        return self.tokens[self.index]

    def read(self) -> Token:
        """Return the next token and go on; the end is never passed."""
        token = self.next
        self.index += token.kind != "end"
        return token

    def read_sign(self, *signs: str) -> Token | None:
        """Return the next token if it is one of these signs, else None."""
        return self.read() if self.next.is_sign(*signs) else None

    def read_word(self, word: str) -> bool:
        """Return True, and go on, if the next token is this keyword."""
        return self.next.is_word(word) and bool(self.read())

    def expect_sign(self, sign: str) -> None:
        """Read a sign, or raise."""
        if self.read_sign(sign) is None:
            raise self.unexpected_token(repr(sign))

    def enter(self) -> None:
        """Count a level of brackets, or raise if there are too many."""
        self.level += 1
        if self.level > MAX_LEVELS:
            found = f"brackets lie more than {MAX_LEVELS} deep in each other"
            raise self.mistake(found, "fewer")

    def unexpected_token(self, expected: str) -> RetainError:
        """Return the error about the next token."""
        before = self.source[: self.next.start].strip()[-40:]
        if self.next.kind == "end":
            found = f"it ends after {before!r}" if before else "it is empty"
        else:
            found = f"{self.source[self.next.start :][:40]!r} stands "
            found += f"after {before!r}" if before else "at the beginning"
        return self.mistake(found, expected)

    def mistake(self, found: str, expected: str) -> RetainError:
        """Return an error that shows how the key is typed."""
        return RetainError.at(self.key, found, f"expected {expected}, as in {self.example}")


def quote_name(name: str) -> str:
    """Return the name of a column as it is typed in a formula or a filter.

    >>> print(quote_name("price"), quote_name("Unit Price"), quote_name("in"))
    price "Unit Price" "in"
    """
    if _PLAIN_NAME.fullmatch(name) and name.lower() not in KEYWORDS:
        return name
    return '"' + name.replace('"', '""') + '"'
