"""Terminal output of explanations. Computes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console

from retain.cli.terminal.console import Table, literal
from retain.record.explanations_document import ExplanationsDocument, FeatureInfo, GroupInfo
from retain.wording import describe_count, format_interval, format_signed

MAX_FEATURES = 5
"""Maximum number of features; the page has all of them."""
ARROWS = {"up": " ↑", "down": " ↓"}


def print_explanations(console: Console, explanations: ExplanationsDocument) -> None:
    """Print the ablation of groups, the strongest features, and warnings."""
    console.print(_groups(explanations.groups))
    strengths = [(one, one.mean_abs_shap) for one in explanations.features]
    strongest = [_strength(one, size.value) for one, size in strengths if size is not None]
    strongest = strongest[:MAX_FEATURES]
    if strongest:
        message = literal(", ".join(strongest))
        console.print(
            "Most important features (mean |SHAP|, log-odds; ↑ higher values go with a higher "
            f"risk, ↓ lower values): {message}. These are associations, not causes."
        )
    for sentence in _cautions(explanations):
        console.print(f"[yellow]{literal(sentence)}[/]")


def _groups(groups: Sequence[GroupInfo]) -> Table:
    table = Table(title="ROC-AUC lost without a feature group", box=SIMPLE_HEAD)
    table.padding = (0, 1, 0, 0)
    table.add_column("group", overflow="fold")
    for name in ("lost", "95 % CI", "measured by"):
        table.add_column(name, no_wrap=name != "measured by")
    for group in groups:
        ablation = group.ablation
        if ablation is None:
            table.add_row(literal(group.name), "", "", literal(group.reason or ""))
            continue
        loss = ablation.auc_loss
        interval = format_interval(loss.low, loss.high, "+.3f")
        pairs = ablation.n_pairs if ablation.source == "sweep" else None
        message = (
            "refits" if pairs is None else describe_count(pairs, "pair of runs", "pairs of runs")
        )
        table.add_row(literal(group.name), format_signed(loss.value), interval, message)
    return table


def _strength(feature: FeatureInfo, size: float) -> str:
    """Return a feature's name with its importance and direction."""
    arrow = ARROWS.get(feature.direction or "", "")
    return f"{feature.name} {size:.2f}{arrow}"


def _cautions(explanations: ExplanationsDocument) -> Iterator[str]:
    """Yield warnings about the drivers."""
    if explanations.reason:
        yield explanations.reason
    drivers = explanations.drivers
    if drivers is not None and drivers.ranks_agree is False:
        yield (
            "SHAP and permutation importance order the features differently (Kendall's τ "
            f"{drivers.rank_correlation:.2f}): "
            "the ranking of single features is not "
            "reliable."
        )
