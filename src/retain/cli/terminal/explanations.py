"""What a comparison prints of the reasons. Draws, decides nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from retain.cli.terminal.console import literal

Tree = Mapping[str, Any]
STRONGEST = 5
"""Features named in the terminal; the page has them all."""
SIGNS = {"up": "+", "down": "−", "mixed": "±"}


def print_explanations(console: Console, reasons: Tree) -> None:
    """Print what each group contributes, the strongest features, and what is missing."""
    console.print(_groups(reasons["groups"]))
    strongest = [_strength(one) for one in reasons["features"] if one["strength"]][:STRONGEST]
    if strongest:
        message = literal(", ".join(strongest))
        console.print(
            f"Strongest features (mean |SHAP|, log-odds): {message}. Associations, no causes."
        )
    for sentence in _cautions(reasons):
        console.print(f"[yellow]{literal(sentence)}[/]")


def _groups(groups: list[Tree]) -> Table:
    table = Table(title="Why: ROC-AUC lost without a feature group", box=SIMPLE_HEAD)
    table.padding = (0, 1, 0, 0)
    table.add_column("group", overflow="fold")
    for name in ("lost", "95 %", "from"):
        table.add_column(name, no_wrap=name != "from")
    for group in groups:
        found = group["contribution"]
        if found is None:
            table.add_row(literal(group["name"]), "", "", literal(group["why_not"] or ""))
            continue
        interval = f"{found['low']:+.3f} to {found['high']:+.3f}"
        message = f"{found['pairs']} pairs of runs" if found["source"] == "sweep" else "refits"
        table.add_row(literal(group["name"]), f"{found['loss']:+.3f}", interval, message)
    return table


def _strength(feature: Tree) -> str:
    """A feature's name with its sign and strength."""
    direction = feature["direction"]
    if direction == "level":
        return f"{feature['name']} {feature['strength']['mean']:.2f}"
    return f"{feature['name']} {SIGNS.get(direction, '')}{feature['strength']['mean']:.2f}"


def _cautions(reasons: Tree) -> Iterator[str]:
    """What a reader of the drivers should know."""
    if reasons["missing"]:
        yield reasons["missing"]
    if reasons["drivers"] and reasons["drivers"]["agree"] is False:
        yield (
            "SHAP and permutation importance order the features differently (Kendall's τ "
            f"{reasons['drivers']['tau']:.2f}): no order of them is to be relied on."
        )
