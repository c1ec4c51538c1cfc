"""A leaf of a tree as a rule, and in words: its name and what people call it.

May import: customers, schema.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from retain.customers.customers import Column, Label
from retain.schema import Condition, Named, Rule, Words


@dataclass(frozen=True)
class Side:
    """What a leaf says of one feature.

    Attributes
    ----------
    low, high
        A number is above the one and at most the other.
    level, others
        A category is the one, or none of the others.
    known, unknown
        Whether a customer whose value is known may be here, and one whose value is not.
    told
        Whether anybody's value is not known, so that words must speak of it.
    """

    low: float | None = None
    high: float | None = None
    level: str | None = None
    others: tuple[str, ...] = ()
    known: bool = True
    unknown: bool = True
    told: bool = False

    @property
    def condition(self) -> Condition:
        """What holds of the known values here; of all that are known, where nothing is asked."""
        if not self.known:
            return Condition(known=False)
        if self.level is not None:
            return Condition(one_of=(self.level,))
        if self.others:
            return Condition(none_of=self.others)
        if self.low is None and self.high is None:
            return Condition(known=True)
        return Condition(above=self.low, at_most=self.high)

    def rule(self, name: str) -> Rule:
        """What holds of everybody here."""
        told = Rule.model_validate({name: self.condition})
        if not (self.known and self.unknown):
            return told
        return Rule(any=(told, Rule.model_validate({name: Condition(known=False)})))


def named(path: Mapping[str, Side], columns: Mapping[str, Column]) -> tuple[str, Named]:
    """The name of a leaf, such as ``pages ≤ 5 & level = premium``, and its rule with its label.

    >>> path = {"pages": Side(low=3.0, high=5.5), "level": Side(level="premium")}
    >>> name, leaf = named(path, {"pages": Column("pages", "site", "number", "Pages", "Страниц")})
    >>> name, leaf.label.ru
    ('3 < pages ≤ 5.5 & level = premium', '3 < Страниц ≤ 5,5 · level: premium')
    """
    if not path:
        everybody = Rule.model_validate({"risk": Condition(at_least=0)})
        return "everybody", Named(label=Words(en="Everybody", ru="Все"), when=everybody)
    parts = [_words(name, side, columns.get(name)) for name, side in path.items()]
    label = Words(
        en=" · ".join(label.en for _, label in parts)[:1000],
        ru=" · ".join(label.ru for _, label in parts)[:1000],
    )
    rule = Rule(all=tuple(side.rule(name) for name, side in path.items()))
    return " & ".join(name for name, _ in parts), Named(label=label, when=rule)


def _words(name: str, side: Side, column: Column | None) -> tuple[str, Label]:
    """What a side is called by its feature's own name, and by its names for people."""
    column = column or Column(name, "", "number")
    called, either = column.label, side.told and side.known and side.unknown
    if not side.known or (side.condition.known and not either):
        word = "known" if side.known else "unknown"
        told = Label("known", "есть данные") if side.known else Label("not known", "нет данных")
        return f"{name} {word}", Label(f"{called.en}: {told.en}", f"{called.ru}: {told.ru}")
    asked = _numbers if side.level is None and not side.others else _levels
    plain, label = asked(name, side, column)
    if not either:
        return plain, label
    return f"{plain} or unknown", Label(f"{label.en} or not known", f"{label.ru} или нет данных")


def _levels(name: str, side: Side, column: Column) -> tuple[str, Label]:
    levels = side.others if side.level is None else (side.level,)
    told = [column.level(level) for level in levels]
    english, russian = (
        ", ".join(words) for words in zip(*((t.en, t.ru) for t in told), strict=True)
    )
    sign, nots = ("≠", ("not ", "не ")) if side.level is None else ("=", ("", ""))
    label = Label(
        f"{column.label.en}: {nots[0]}{english}", f"{column.label.ru}: {nots[1]}{russian}"
    )
    return f"{name} {sign} {', '.join(levels)}", label


def _numbers(name: str, side: Side, column: Column) -> tuple[str, Label]:
    english, russian = column.label.en, column.label.ru.replace(".", "\0")
    told = [_between(called, side) for called in (name, english, russian)]
    return told[0], Label(told[1], told[2].replace(".", ",").replace("\0", "."))


def _between(called: str, side: Side) -> str:
    if side.low is None:
        return called if side.high is None else f"{called} ≤ {_plain(side.high)}"
    if side.high is None:
        return f"{called} > {_plain(side.low)}"
    return f"{_plain(side.low)} < {called} ≤ {_plain(side.high)}"


def _plain(number: float) -> str:
    """All digits of a number, none of them an exponent's."""
    return np.format_float_positional(number, trim="-")
