"""The question, the audit, its cautions and the funnel, of the values beside each message.

A message without a text in the catalogue, or with other values, is shown in English as recorded.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from retain.record.document import CheckResult, FunnelStep
from retain.record.documents import CautionInfo
from retain.record.estimates import DisplayName
from retain.report.text.names import code
from retain.report.text.numbers import Number
from retain.report.text.words import LANGUAGES, Message, has_text, message, words
from retain.schema.parsing import parse

FORMS = {
    "auc": "times",
    "others_auc": "times",
    "threshold": "times",
    "lead": "times",
    "shares": "times",
    "declined": "percent",
    "stayed": "percent",
    "share": "percent",
    "z": "deviations",
    "roc_auc": "score",
    "times": "plain",
}
"""Forms of numbers by name; all others are counts."""


def check_message(
    check: CheckResult, names: Mapping[str, DisplayName] = MappingProxyType({})
) -> Message | None:
    """Return the result of a check, None if it cannot be written.

    ``names`` are the display names of features, written in place of their keys.
    """
    key, values = f"check.{check.code}.{check.outcome}", dict(check.values)
    if check.outcome == "not_applicable":
        return None
    if "others_auc" in values:
        key = f"{key}_lead"
    if isinstance(higher := values.pop("higher", None), bool):
        key = f"{key}.{'higher' if higher else 'lower'}" if has_text(f"{key}.higher") else key
    named = {k: names[v] for k, v in values.items() if isinstance(v, str) and v in names}
    return _fill(key, {**values, **named})


def caution_message(caution: CautionInfo) -> Message | None:
    """Return a caution of the verdict, None if it cannot be written."""
    values = dict(caution.numbers)
    if "outcome" not in values:
        return _fill(f"caution.{caution.code}", {**values, "n": values.get("n_accesses")})
    check = parse(CheckResult, {"code": caution.code, "message": caution.message, **values})
    first = check_message(check)
    if first is None or check.outcome != "failed":
        return first
    return message("caution.allowed", first=first)


def step_message(step: FunnelStep) -> Message | None:
    """Return the reason of a step of the funnel, None if it cannot be written."""
    dropped = step.n_before != step.n_after
    return _fill(f"funnel_reason.{step.name}", step.values) if dropped else None


def question(recorded: Any) -> Message | None:
    """Return the question of a study, in one language or in each; None if there is none."""
    texts = recorded if isinstance(recorded, Mapping) else dict.fromkeys(LANGUAGES, recorded)
    if not all(texts.get(language) for language in LANGUAGES):
        return None
    return message("page.question", question=DisplayName(**{n: str(texts[n]) for n in LANGUAGES}))


def _fill(key: str, values: Mapping[str, Any]) -> Message | None:
    """Return a message if there is a text with this key, and a value for each placeholder."""
    if not has_text(key):
        return None
    text = words("en").texts[key]
    known = {name: _value(name, value) for name, value in values.items()}
    needed = set(re.findall(r"\{(\w+)\}", text if isinstance(text, str) else text["many"]))
    is_counted = not isinstance(text, str)
    if not needed <= known.keys() or (is_counted and not isinstance(values.get("n"), int)):
        return None
    return message(key, **known)


def _value(name: str, value: Any) -> Any:
    """Return a value for the catalogue: numbers in their form, names as code."""
    if isinstance(value, Mapping):
        pairs = ((code(feature), _value("auc", auc)) for feature, auc in value.items())
        return [message("check.feature", name=feature, auc=auc) for feature, auc in pairs]
    if isinstance(value, DisplayName):
        return value
    if isinstance(value, list | tuple):
        return [_value(name, one) for one in value]
    if isinstance(value, int | float):
        return Number(value, FORMS.get(name, "count"))
    return code(value)
