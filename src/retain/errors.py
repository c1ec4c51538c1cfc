"""The errors of retain.

Ground floor: imports nothing of the package. Every message tells what was found, what was
expected and what to type. A ``RetainError`` is the user's to mend and is shown without a
traceback; any other exception is a bug, whose traceback goes to a log.
"""

from __future__ import annotations

import difflib
import errno
import os
import re
import shlex
from collections.abc import Iterable, Sequence

DISK_FULL_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""Errors of a system that can write no more, but could before."""
NO_MEMORY = (errno.ENOMEM, errno.EAGAIN)
"""Errors of a system that has no memory, or no process, to give."""


_IN_URL = re.compile(r"(\w:/{1,2}[^\s:/@]*:)[^\s@/]*@")
_AS_OPTION = re.compile(r"([?&]password=)[^\s&'\"]*", re.IGNORECASE)


MAX_QUOTED = 200
"""Characters of a value that a message repeats."""


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known name closest to ``word``, or None when nothing is close.

    A name that has the word as one of its parts counts as close.

    >>> nearest("lightgmb", ["catboost", "lightgbm", "logreg"])
    'lightgbm'
    >>> nearest("leaf", ["max_depth", "min_leaf_fraction"])
    'min_leaf_fraction'
    >>> nearest("zzz", ["catboost"]) is None
    True
    """
    names = {name.casefold(): name for name in known}
    typed = word.casefold()
    close = difflib.get_close_matches(typed, names, n=1)
    parted = [name for name in names if typed and typed in name.split("_")]
    return names[(close or parted)[0]] if close or parted else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return a hint to append to a message, empty when no known name is close.

    >>> did_you_mean("sight", ["site", "product"])
    " Did you mean 'site'?"
    """
    name = nearest(word, known)
    return f" Did you mean {name!r}?" if name is not None else ""


def examples(values: Iterable[object], limit: int = 5) -> str:
    """Up to ``limit`` distinct values, in the order found, as they would be typed.

    >>> examples(["a", "b", "a", "c"], limit=2)
    "'a', 'b' and 1 more"
    """
    distinct = list(dict.fromkeys(values))
    texts = (repr(value) for value in distinct[:limit])
    shown = ", ".join(
        text if len(text) <= MAX_QUOTED else f"{text[:MAX_QUOTED]}…" for text in texts
    )
    rest = len(distinct) - limit
    return f"{shown} and {rest} more" if rest > 0 else shown


def hide_passwords(text: str) -> str:
    """Return a text in which no URL holds a password, as user info or as an option.

    >>> hide_passwords("postgresql://ann:secret@db/shop?password=secret cannot be reached")
    'postgresql://ann:***@db/shop?password=*** cannot be reached'
    """
    text = _IN_URL.sub(r"\1***@", text)
    return _AS_OPTION.sub(r"\1***", text)


class RetainError(Exception):
    """Something the user can mend: config, data or a file; it never tells a password of a URL."""

    def __str__(self) -> str:
        """Return the sentence without passwords, wherever it is printed or recorded."""
        return hide_passwords(super().__str__())

    @classmethod
    def unknown(cls, kind: str, name: str, known: Sequence[str], *, hint: str = "") -> RetainError:
        """Return the error that ``name`` is not among the known names of its kind.

        >>> print(RetainError.unknown("model", "lightgmb", ["catboost", "lightgbm"]))
        model 'lightgmb' is not one of catboost, lightgbm. Did you mean 'lightgbm'?
        """
        listed = ", ".join(sorted(known)) if known else "(nothing)"
        return cls(f"{kind} {name!r} is not one of {listed}.{did_you_mean(name, known)}{hint}")

    @classmethod
    def at(cls, where: str, found: str, expected: str) -> RetainError:
        """Return the error that the value of a table, column or config key is not as expected.

        >>> print(RetainError.at("validation.folds", "it is 'five'", "expected a whole number"))
        validation.folds: it is 'five'; expected a whole number.
        """
        return cls(f"{where}: {found}; {expected}.")

    @classmethod
    def unwritable(cls, folder: object, error: OSError, elsewhere: str) -> RetainError:
        """Return the error that a folder cannot be written, with what to type to write elsewhere.

        >>> full = OSError(28, "No space left on device")
        >>> print(RetainError.unwritable("outputs/models", full, "outputs=FOLDER"))
        ... # doctest: +NORMALIZE_WHITESPACE
        outputs/models cannot be written: No space left on device.
        Free some space there, and the same line continues with what is missing.
        """
        why = str(error) if error.errno is None else os.strerror(error.errno)
        at = error.filename if isinstance(error.filename, str | os.PathLike) else folder
        which = "" if str(at) == str(folder) else f" ({at})"
        if error.errno in DISK_FULL_ERRORS:
            mend = "Free some space there, and the same line continues with what is missing"
        elif error.errno in (errno.ENOTDIR, errno.EISDIR):
            mend = f"Move away what lies there, or name another folder: {elsewhere}"
        elif error.errno in NO_MEMORY:
            mend = "Memory ran out: allow the command more, or have fewer workers"
        else:
            mend = f"Make it writable, or name another folder: {elsewhere}"
        return cls(f"{folder} cannot be written: {why}{which}. {mend}.")


class NotApplicable(Exception):  # noqa: N818 - a "no" is an answer, not an error
    """A combination without meaning, for the reason given: neither a failure nor a zero."""


def type_value(key: str, value: object) -> str:
    """Return a ``key=value`` as it is typed in a shell, whatever signs the value has.

    >>> type_value("campaign", "outputs/demo/campaigns/9c5a08ca")
    'campaign=outputs/demo/campaigns/9c5a08ca'
    >>> print(type_value("data.path", "a b; rm c"))
    "data.path='a b; rm c'"
    >>> print(type_value("data.keep_columns", ["total", "страна, код"]))
    "data.keep_columns=[total,'страна, код']"
    """
    if isinstance(value, list | tuple):
        word = f"{key}=[{','.join(map(hydra_word, value))}]"
    else:
        word = f"{key}={hydra_word(value)}"
    if re.fullmatch(r"[\w./:@%+=\[\],-]+", word, flags=re.ASCII):
        return word
    return shlex.quote(word) if re.search(r'["$`\\!]', word) else f'"{word}"'


def hydra_word(value: object) -> str:
    r"""Return a value as Hydra takes it, in quotes where a text has signs or a sense of its own.

    >>> print(hydra_word(r"\N"), hydra_word("a'b\\"), hydra_word("${x}"), hydra_word("null"))
    '\N' 'a\'b\\' '\${x}' 'null'
    """
    text = str(value)
    is_plain = re.fullmatch(r"[\w./:@%+-]+", text, flags=re.ASCII) is not None
    if is_plain and (isinstance(value, int | float) or not _means_otherwise(text)):
        return text
    text = re.sub(r"(\\*)\$\{", r"\1\1\\${", text)  # else OmegaConf would resolve it
    text = re.sub(r"(\\*)'", r"\1\1\\'", text)  # Hydra halves backslashes before quotes alone
    quoted = re.sub(r"(\\+)\Z", r"\1\1", text)
    return f"'{quoted}'"


def _means_otherwise(text: str) -> bool:
    """Return whether a text without quotes is read as something else.

    >>> [one for one in ("null", "1e5", "007", "12", "1.5", "yes") if _means_otherwise(one)]
    ['null', '1e5', '007']
    """
    if text.lower() in ("null", "true", "false"):
        return True
    try:
        number = int(text) if re.fullmatch(r"[+-]?[0-9_]+", text) else float(text)
    except ValueError:
        return False
    return str(number) != text
