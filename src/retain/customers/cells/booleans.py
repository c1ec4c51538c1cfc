"""Columns of two answers, and the positive one."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pandas as pd

from retain.customers.cells.numbers import preview, truncate
from retain.customers.columns import snake_case
from retain.errors import RetainError, did_you_mean, examples, type_value
from retain.wording import describe_count

YES = ("1", "1.0", "true", "yes", "y", "t", "on", "да", "истина")
NO = ("0", "0.0", "false", "no", "n", "f", "off", "нет", "ложь")
STAYING = (
    *("retain", "retention", "stay", "active", "alive", "loyal", "renew", "remain", "kept", "keep"),
    *("existing", "continu", "survi", "subscri", "current", "activ", "fidel", "fidèl", "treu"),
    *("isactive", "actif", "aktiv", "engag", "member", "persist", "ongoing", "return", "repeat"),
    *("bought", "buy", "purchas", "order", "reorder", "visit", "respon", "success", "good", "open"),
    *("live", "came", "still", "client", "isclient", "подпис", "клиент", "заказ", "покуп", "приш"),
    *("convert", "customer", "iscustomer", "bleib", "geblieben", "bestand"),
    *("perman", "остал", "остаёт", "остает", "актив", "удерж", "лояльн", "продл", "сохран"),
    *("действующ", "возврат", "вернул", "купил", "жив", "活跃", "留存"),
)
"""Beginnings of words by which a column says that its customers stay."""
LEAVING = (
    *("churn", "attrit", "left", "leav", "lost", "lapse", "cancel", "gekündigt", "kündig"),
    *("gekundigt", "inactiv", "inaktiv", "отток", "ушел", "ушёл", "ушл", "отказ", "exit", "quit"),
    *(
        "gone",
        "stop",
        "clos",
        "declin",
        "drop",
        "reduc",
        "снизи",
        "сокра",
        "перестал",
        "abgewander",
    ),
)
"""Beginnings of words by which a column says that its customers leave."""
NEGATIONS = (
    "never",
    "free",
    "not",
    "no",
    "non",
    "un",
    "without",
    "без",
    "не",
    "нет",
    "nicht",
    "kein",
    "pas",
    "sin",
)
MISSING_WORDS = (
    *("na", "n.a.", "n/a", "#n/a", "nan", "null", "none", "nil", "unknown", "missing", "empty"),
    *("not available", "undefined", "(null)", "(blank)", "(empty)", "\\n", "?", "??", "???", "-"),
    *("--", ".", "k.a.", "unbekannt", "keine angabe", "inconnu", "desconocido", "sin datos"),
    *("неизвестно", "нет данных", "не указано", "н/д", "нд"),
)
"""Words by which a cell says that its value is missing."""
_TWO = 2


Answer = str | float | bool


def parse_positive(
    cells: pd.Series, positive: Answer | Sequence[Answer] | None, where: str, name: str = ""
) -> pd.Series:
    """Return a mask of the positive answers; no cell may be missing.

    Answers that differ in case only are one. ``positive`` may be None if the answers are a usual
    form of yes and no, unless the ``name`` of the column says that yes means staying. It may have
    the type that YAML gives it (``Yes`` is True, ``1`` is a number). With a list of answers, all
    others are negative, however many they are.

    >>> parse_positive(pd.Series(["Yes", "No", "yes"]), True, "column 'Churn'").tolist()
    [True, False, True]
    >>> reasons = pd.Series(["moved", "price", "stayed"])
    >>> parse_positive(reasons, ["moved", "price"], "column 'reason'").tolist()
    [True, True, False]
    """
    found = [str(value) for value in cells.unique()]
    folded = list({value.casefold(): value for value in reversed(found)}.values())[::-1]
    answers = folded if len(folded) >= _TWO else found
    if isinstance(positive, Sequence) and not isinstance(positive, str):
        chosen = {_resolve_positive(one, answers, where) for one in positive}
        if not chosen or len(chosen) == len(answers):
            problem = f"data.positive names {len(chosen)} of {len(answers)} values of {where}"
            raise RetainError(f"{problem}; expected some, not all, of {_list(answers)}.")
        return _equal_any(cells, chosen, answers)
    if len(answers) != _TWO:
        count = describe_count(len(answers), "value")
        problem = f"it has {count}: {preview(cells)}" if answers else "it has no values"
        expected = f"expected a target of exactly two values{_hint_at_answers(answers)}"
        raise RetainError.at(where, problem, expected)
    if positive is not None:
        return _equal_any(cells, {_resolve_positive(positive, answers, where)}, answers)
    inferred = _infer_positive(answers, where)
    if says_staying(name):
        problem = f"{where}: its name says that {inferred!r} may mean staying"
        raise RetainError(f"{problem}; name the value that means a decline: {_choices(answers)}")
    return _equal_any(cells, {inferred}, answers)


def says_staying(name: str) -> bool:
    """Return whether a column's name says that its positive answer means staying.

    >>> says_staying("Retained"), says_staying("is_active"), says_staying("inactive")
    (True, True, False)
    >>> says_staying("not_retained"), says_staying("Лояльный клиент"), says_staying("NotChurned")
    (False, True, True)
    """
    words = snake_case(name).split("_")
    prefixed = any(re.match(f"(un|non)({'|'.join(LEAVING)})", word) for word in words)
    negated = prefixed or any(word in NEGATIONS for word in words)
    if prefixed or any(word.startswith(LEAVING) for word in words):
        return negated
    return any(word.startswith(STAYING) for word in words) and not negated


def _equal_any(cells: pd.Series, chosen: set[str], answers: Sequence[str]) -> pd.Series:
    """Return a mask of the chosen answers, in any case unless answers differ in case only."""
    if len({one.casefold() for one in answers}) < len(answers):
        return cells.isin(chosen)
    return cells.astype("str").str.casefold().isin({one.casefold() for one in chosen})


def _hint_at_answers(answers: Sequence[str]) -> str:
    """Return what to type for a target of more than two values; empty for fewer."""
    if len(answers) <= _TWO:
        return ""
    truths = [truth for one in answers if (truth := _parse_truth(one)) is not None]
    unknown = [one for one in answers if one.casefold() in MISSING_WORDS]
    if sorted(truths) == [False, True]:  # yes, no, and words for nothing
        others = [one for one in answers if _parse_truth(one) is None]
        unknown += [one for one in others if one not in unknown and not one.isdecimal()]
    known = [one for one in answers if one not in unknown]
    hint = f"; to say what is missing: {type_value('data.missing_values', unknown)}"
    declines = [one for one in known if _parse_truth(one) is not False][: max(1, len(known) - 1)]
    named = type_value("data.positive", declines[:2] or known[:1])
    return hint * bool(unknown) + f"; to name all that mean a decline: {named}" * bool(known)


def _choices(answers: Sequence[str]) -> str:
    # OmegaConf takes three question marks for a missing value, but not in a list
    return " or ".join(
        type_value("data.positive", [answer] if answer == "???" else answer) for answer in answers
    )


def _list(answers: Sequence[str]) -> str:
    return examples(map(truncate, answers), limit=10)


def parse_consent(cells: pd.Series, where: str) -> pd.Series:
    """Return a mask of customers who agreed; a missing answer is no agreement.

    >>> parse_consent(pd.Series(["да", "нет", None]), "column 'agreed'").tolist()
    [True, False, False]
    """
    agreed = cells.map(_parse_truth, na_action="ignore")
    odd = cells[cells.notna() & agreed.isna()]
    if not odd.empty:
        expected = f"expected answers such as {examples(YES[2:4])} and {examples(NO[2:4])}"
        raise RetainError.at(where, f"it holds {preview(odd)}", expected)
    return agreed.eq(True).astype(bool)


def _infer_positive(answers: Sequence[str], where: str) -> str:
    yes = [value for value in answers if _parse_truth(value) is True]
    no = [value for value in answers if _parse_truth(value) is False]
    if len(yes) != 1 or len(no) != 1:
        listed = examples(map(truncate, answers))
        problem = f"{where} has values {listed}, and neither is known to mean yes"
        raise RetainError(f"{problem}; name the one that means a decline: {_choices(answers)}")
    return yes[0]


def _resolve_positive(positive: Answer, answers: Sequence[str], where: str) -> str:
    """Return the answer that ``positive`` stands for, trying the most literal reading first."""
    wanted = str(positive).strip()
    readings = (
        [value for value in answers if value == wanted],
        [value for value in answers if value.casefold() == wanted.casefold()],
        [
            value
            for value in answers
            if _parse_truth(value) is not None and _parse_truth(value) == _parse_truth(wanted)
        ],
    )
    for matches in readings:
        if len(matches) == 1:
            return matches[0]
    hint = did_you_mean(wanted, answers)
    raise RetainError(
        f"data.positive is {positive!r}; expected one of {_list(answers)}, "
        f"the values of {where}.{hint}"
    )


def _parse_truth(value: str) -> bool | None:
    word = value.casefold()
    return True if word in YES else False if word in NO else None
