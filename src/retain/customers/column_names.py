"""Names of columns: canonical ones made of what a file calls them, and the way back.

May import: errors.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

from retain.errors import RetainError, did_you_mean, examples


def canonical_names(names: Sequence[str]) -> dict[str, str]:
    """The canonical snake_case name of each name, different for different names.

    >>> canonical_names(["customerID", "Total charges, $", "total_charges", "Тип сервиса"])
    {'customerID': 'customer_id', 'Total charges, $': 'total_charges', \
'total_charges': 'total_charges_2', 'Тип сервиса': 'тип_сервиса'}
    """
    taken: set[str] = set()
    found = {}
    for name in names:
        plain = snake_case(name) or "column"
        made, number = plain, 1
        while made in taken:
            number += 1
            made = f"{plain}_{number}"
        taken.add(made)
        found[name] = made
    return found


def snake_case(name: str) -> str:
    """``name`` in small letters and digits with ``_`` between words, letters of any script.

    >>> snake_case("MonthlyCharges"), snake_case("HTTPErrors"), snake_case("%")
    ('monthly_charges', 'http_errors', '')
    """
    words = re.sub(r"\W+", "_", unicodedata.normalize("NFKC", name))
    pairs = zip(words, words[1:] + " ", words[2:] + "  ", strict=False)
    spaced = "".join(c + "_" * _word_ends(c, second, third) for c, second, third in pairs)
    return re.sub("_+", "_", spaced).strip("_").lower()


def find(name: object, names: dict[str, str], where: str) -> str:
    """The name in the file of a column named as in the file or canonically.

    ``names`` is what ``canonical_names`` gave. A ``RetainError`` with the nearest name otherwise.

    >>> find("customer_id", {"customerID": "customer_id"}, "data.id")
    'customerID'
    """
    wanted = str(name)
    if wanted in names:
        return wanted
    back = {canonical: original for original, canonical in names.items()}
    if wanted in back:
        return back[wanted]
    hint = did_you_mean(wanted, [*back, *names])
    listed = examples(names, limit=30)
    raise RetainError(f"{where}: column {wanted!r} is missing; the file has {listed}.{hint}")


def find_all(wanted: Iterable[object], names: dict[str, str], where: str) -> list[str]:
    """``find`` for each of these names."""
    return [find(name, names, where) for name in wanted]


def refuse_lacking(needed: Iterable[str], known: Sequence[str]) -> None:
    """Refuse customers who lack features that a model learnt from, naming all of these.

    >>> refuse_lacking(["minute", "pages"], ["minutes", "pages"])
    Traceback (most recent call last):
    ...
    retain.errors.RetainError: the model learnt from feature 'minute', which these customers \
lack. Did you mean 'minutes'?
    """
    lacking = [name for name in needed if name not in known]
    if lacking:
        which = "feature" if len(lacking) == 1 else "features"
        told = f"the model learnt from {which} {', '.join(map(repr, lacking))}"
        hint = did_you_mean(lacking[0], known) if len(lacking) == 1 else ""
        raise RetainError(f"{told}, which these customers lack.{hint}")


def _word_ends(letter: str, second: str, third: str) -> bool:
    """Whether a word ends after ``letter``: aB, and A before Bc."""
    if not second.isupper():
        return False
    return letter.islower() or letter.isdigit() or (letter.isupper() and third.islower())
