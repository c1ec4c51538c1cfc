"""What retain says when it cannot go on.

Ground floor: imports nothing of the package. Every message tells what was found, what was
expected and what to type. A ``RetainError`` is the user's to mend and is shown without a
traceback; any other exception is a bug and keeps its traceback.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known name closest to ``word``, or None when nothing is close.

    >>> nearest("lightgmb", ["catboost", "lightgbm", "logreg"])
    'lightgbm'
    >>> nearest("zzz", ["catboost"]) is None
    True
    """
    names = {name.casefold(): name for name in known}
    close = difflib.get_close_matches(word.casefold(), names, n=1, cutoff=0.5)
    return names[close[0]] if close else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint to append to a message, empty when no known name is close.

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
    shown = ", ".join(repr(value) for value in distinct[:limit])
    rest = len(distinct) - limit
    return f"{shown} and {rest} more" if rest > 0 else shown


class RetainError(Exception):
    """Something the user can mend: config, data or a file."""

    @classmethod
    def unknown(cls, kind: str, name: str, known: Sequence[str], *, hint: str = "") -> RetainError:
        """``name`` is not among the known names of its kind.

        >>> print(RetainError.unknown("model", "lightgmb", ["catboost", "lightgbm"]))
        model 'lightgmb' is not one of catboost, lightgbm. Did you mean 'lightgbm'?
        """
        listed = ", ".join(sorted(known)) if known else "(nothing)"
        return cls(f"{kind} {name!r} is not one of {listed}.{did_you_mean(name, known)}{hint}")

    @classmethod
    def at(cls, where: str, found: str, expected: str) -> RetainError:
        """A value at a named place (table, column, config key) is not what it must be.

        >>> print(RetainError.at("validation.folds", "it is 'five'", "expected a whole number"))
        validation.folds: it is 'five'; expected a whole number.
        """
        return cls(f"{where}: {found}; {expected}.")


class NotApplicable(Exception):  # noqa: N818 - a "no" is an answer, not an error
    """A combination without meaning, for the reason given: neither a failure nor a zero."""
