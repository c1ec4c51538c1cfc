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
    strongest = [_strength(one) for one in reasons["features"] if one["mean_abs_shap"]][:STRONGEST]
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
        found = group["ablation"]
        if found is None:
            table.add_row(literal(group["name"]), "", "", literal(group["reason"] or ""))
            continue
        loss = found["auc_loss"]
        interval = f"{loss['low']:+.3f} to {loss['high']:+.3f}"
        message = f"{found['n_pairs']} pairs of runs" if found["source"] == "sweep" else "refits"
        table.add_row(literal(group["name"]), f"{loss['value']:+.3f}", interval, message)
    return table


def _strength(feature: Tree) -> str:
    """A feature's name with its sign and strength."""
    direction = feature["direction"]
    if direction == "level":
        return f"{feature['name']} {feature['mean_abs_shap']['value']:.2f}"
    return f"{feature['name']} {SIGNS.get(direction, '')}{feature['mean_abs_shap']['value']:.2f}"


def _cautions(reasons: Tree) -> Iterator[str]:
    """What a reader of the drivers should know."""
    if reasons["reason"]:
        yield reasons["reason"]
    if reasons["drivers"] and reasons["drivers"]["ranks_agree"] is False:
        yield (
            "SHAP and permutation importance order the features differently (Kendall's τ "
            f"{reasons['drivers']['rank_correlation']:.2f}): no order of them is to be relied on."
        )
