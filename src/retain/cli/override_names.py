"""Names of columns in overrides: in any script, with spaces, commas and brackets.

Hydra reads letters beyond ASCII only within quotes, and keys not even there. So list elements get
the quotes they need, and other letters of keys are written as ``__u0441__`` until the config is
composed.
"""

from __future__ import annotations

import re
from typing import Any

_ESCAPED = re.compile("__u([0-9a-f]{4,6})__")
_SAFE = re.compile(r"[\w/\\+.$%*@?|: -]*", re.ASCII)
_DIGIT_FIRST = re.compile(r"(?<=\.)(?:0(?=[0-9])|[0-9](?=[0-9]*[^\W0-9]))")
"""The first digit of a name that is no number, which Hydra does not take."""
_CALL = re.compile(r"[a-z_]+\(.*\)", re.DOTALL)
_FILTER_KEY = re.compile(r"\+{0,2}data\.where")
_FORMULA_KEY = re.compile(r"\+{0,2}data\.columns\.(?:amount|items|profit)")
_QUOTED = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"", re.DOTALL)


def escape_names(text: str) -> str:
    r"""Return an override that Hydra can parse, with the same meaning.

    >>> escape_names("data.keep_columns=[страна, total (€)]")
    "data.keep_columns=['страна', 'total (€)']"
    >>> escape_names("data.id=клиент"), escape_names("data.groups={я: [a]}")
    ("data.id='клиент'", 'data.groups={__u044f__: [a]}')
    >>> print(escape_names("data.where=n in (1, 2) and c = 'DE'"))
    data.where='n in (1, 2) and c = \'DE\''
    """
    key, equals, value = text.partition("=")
    if not equals or "${" in text:
        return text
    if _is_expression(key, value):
        value = _quote_text(value)
    elif value.startswith(("[", "{")):
        value = _quote_elements(value)
    elif value.startswith(("'", '"')) or _CALL.fullmatch(value):
        pass
    elif "(" in value and "," not in value:
        value = _quote_word(value, is_key=False)
    elif not value.isascii() and "(" not in value:
        value = ",".join(f"'{part}'" for part in value.split(","))
    return _escape_key(key) + equals + value


def _is_expression(key: str, value: str) -> bool:
    """Return whether a value is a filter or a formula of columns, without quotes around it."""
    if _QUOTED.fullmatch(value) or value in ("", "null"):
        return False
    is_formula = _FORMULA_KEY.fullmatch(key) and any(sign in value for sign in '*+-()"')
    return _FILTER_KEY.fullmatch(key) is not None or bool(is_formula)


def unescape_names(tree: Any) -> Any:
    """Return a composed config with the keys that were typed.

    >>> unescape_names({"groups": {"__u044f__": ["a"]}})
    {'groups': {'я': ['a']}}
    """
    if isinstance(tree, list):
        return [unescape_names(node) for node in tree]
    if not isinstance(tree, dict):
        return tree
    return {_unescape(key): unescape_names(node) for key, node in tree.items()}


def _unescape(key: Any) -> Any:
    if not isinstance(key, str) or "__u" not in key:
        return key
    return _ESCAPED.sub(lambda found: _character(int(found[1], 16)) or found[0], key)


def _character(code: int) -> str:
    is_letter = 127 < code < 0x110000 and not 0xD800 <= code < 0xE000
    return chr(code) if is_letter or 48 <= code < 58 else ""


def _escape_key(key: str) -> str:
    key = _DIGIT_FIRST.sub(lambda found: f"__u{ord(found[0]):04x}__", key)
    return "".join(one if one.isascii() else f"__u{ord(one):04x}__" for one in key)


def _quote_elements(value: str) -> str:
    """Return a list or mapping whose elements have the quotes they need."""
    parts: list[str] = []
    word, open_brackets, index = "", "", 0
    while index < len(value):
        letter = value[index]
        if letter in "'\"" and not word.strip():
            end = _closing_quote(value, index)
            word, index = word + value[index:end], end
            continue
        if letter in "[]{}," or (letter == ":" and open_brackets.endswith("{")):
            parts += [_quote_word(word, is_key=letter == ":"), letter]
            open_brackets = open_brackets + letter if letter in "[{" else open_brackets
            open_brackets = open_brackets[:-1] if letter in "]}" else open_brackets
            word = ""
        else:
            word += letter
        index += 1
    return "".join([*parts, _quote_word(word, is_key=False)])


def _closing_quote(value: str, start: int) -> int:
    """Return the index after the quote that closes the one at ``start``."""
    found = re.compile(r"(?:\\.|[^\\])*?" + value[start], re.DOTALL).match(value, start + 1)
    return found.end() if found else len(value)


def _quote_word(word: str, *, is_key: bool) -> str:
    body = word.strip()
    if body[:1] in ("'", '"') or _SAFE.fullmatch(body) or _CALL.fullmatch(body):
        return word
    if is_key:
        return _escape_key(word)
    before, _, after = word.partition(body)
    return f"{before}{_quote_text(body)}{after}"


def _quote_text(text: str) -> str:
    """Return a text in quotes for Hydra, which halves backslashes before quotes alone."""
    text = re.sub(r"(\\*)'", r"\1\1\\'", text)
    return "'" + re.sub(r"(\\+)\Z", r"\1\1", text) + "'"
