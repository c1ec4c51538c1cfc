"""Terminal output of effects by subgroup. Computes nothing."""

from __future__ import annotations

from collections.abc import Iterator

from rich.box import SIMPLE_HEAD
from rich.console import Console

from retain.cli.terminal.console import Table, literal
from retain.cli.terminal.outcome_scale import OutcomeScale
from retain.record.subgroups_document import InteractionTest, SubgroupRow
from retain.record.trial_document import TrialDocument
from retain.wording import describe_count, format_p

KINDS = {"other": "all others", "missing": "missing"}
"""Subgroups without a name."""
ADJUSTED = "Δ adj.: adjusted by the covariates, beside the plain means. "


def print_subgroups(console: Console, document: TrialDocument, scale: OutcomeScale) -> None:
    """Print which covariates change an effect, and the effects by their subgroups."""
    for message in _evidence(document):
        console.print(literal(message))
    for test in document.subgroups.shown_tests:
        console.print(_table(test, document, scale))


def _evidence(document: TrialDocument) -> Iterator[str]:
    subgroups = document.subgroups
    tested = {test.covariate for test in subgroups.tests if test.p is not None}
    if tested and not subgroups.shown_tests:
        least = min(test.p_adjusted for test in subgroups.tests if test.p_adjusted is not None)
        yield (
            f"No covariate is shown to change the effect ({len(tested)} tested, the "
            f"smallest p is {format_p(least)}). Effects by subgroup are in subgroups.csv."
        )
    for test in subgroups.shown_tests:
        name, p = document.covariates[test.covariate], test.p_adjusted or 0.0
        yield f"The effect of {test.arm} differs by {name} (p {format_p(p)}, corrected)."
    if subgroups.beyond:
        others = describe_count(len(subgroups.beyond), "other covariate")
        yield f"By {others} customers are not split: the first {len(tested)} are."


def _table(test: InteractionTest, document: TrialDocument, scale: OutcomeScale) -> Table:
    name = document.covariates[test.covariate]
    title = f"{test.arm} − {document.arms[0].name}, {document.outcomes[0].name} by {name}"
    table = Table(title=literal(title), box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    is_adjusted = document.subgroups.is_adjusted
    table.caption = (
        ADJUSTED if is_adjusted else ""
    ) + "The intervals of all subgroups hold together."
    table.add_column("", overflow="fold", max_width=30)
    delta = "Δ adj." if is_adjusted else "Δ"
    for column in ("n", "arm", "other", delta, f"{100 * (1 - document.alpha):g} % CI"):
        table.add_column(column, justify="right", no_wrap=True)
    for row in document.subgroups.of(test):
        size = f"{row.n_arm:,} : {row.n_versus:,}"
        cells = scale.cells((row.arm_mean, row.versus_mean), row.difference)
        table.add_row(literal(_name(row)), size, *cells)
    return table


def _name(row: SubgroupRow) -> str:
    return row.subgroup or KINDS[row.kind]
