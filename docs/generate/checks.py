"""``checks.md``: the codes of the audit and of the cautions about a leak."""

from __future__ import annotations

import inspect

from retain.customers.checks.checks import CHECKS

INTRODUCTION = """\
# Checks of the audit

<!-- Made by docs/make_reference.py from src/retain/customers/checks. -->

The audit runs before any fit. A check has one of the outcomes `passed`, `mitigated`, `caution`,
`failed` or `not_applicable`; a severe failure stops the launch, and `audit.allow=[CODE]` overlooks
it. [Leak checks](../explanation/leak-checks.md) says what follows from each. Two cautions come with
the verdict: [`suspicious_auc`](../explanation/checks/suspicious_auc.md) and
[`dominant_feature`](../explanation/checks/dominant_feature.md).
"""


def page() -> str:
    """Return the page: a row for each check."""
    rows = []
    for check in CHECKS:
        name, text = check.__name__, inspect.getdoc(check) or ""
        summary = text.partition("\n")[0].removeprefix("Check ").removesuffix(".")
        rows.append(f"| [`{name}`](../explanation/checks/{name}.md) | {summary} |")
    return "\n".join([INTRODUCTION, "| code | what is checked |", "|---|---|", *rows, ""])
