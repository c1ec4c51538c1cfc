"""What a comparison prints. Draws, decides nothing."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    import pandas as pd

    from retain.app.winner import Carried
    from retain.record import StudyDirectory
    from retain.verdict.verdict import SealedTest, Verdict

SHOWN = 25
"""Rows of the leaderboard in the terminal; the file holds them all."""
WIDE = 100
"""Columns a terminal needs for Brier and ECE beside the ranking."""
STANDING = ("rank", "id", "difference", "p", "tied", "fit_seconds")


def report(  # noqa: PLR0913 - everything a comparison has to show
    console: Console,
    study: StudyDirectory,
    verdict: Verdict,
    carried: Carried | None,
    *,
    unfinished: int,
    missing: str | None,
) -> None:
    """Print leaderboard, verdict, sealed test, segments and where they lie."""
    console.print(_leaderboard(verdict, study.path.name, wide=console.width >= WIDE))
    _left_out(console, verdict, unfinished)
    console.print(f"[bold]{escape(verdict.sentence)}[/]")
    for caution in verdict.cautions:
        console.print(f"[yellow]{escape(caution)}[/]")
    if carried is not None:
        console.print(_sealed(carried.sealed))
        console.print(_ledger(carried.sealed))
        console.print(_segments(carried.segments, carried.scored, carried.money))
        for row in carried.segments.to_dict("records"):
            told = f"  {row['segment']}: {row['differs'] or 'differs from nobody'}"
            console.print(escape(told), soft_wrap=True, highlight=False)
        console.print(_calibration(verdict))
    if missing is not None:
        console.print(f"[yellow]{escape(missing)}[/]")
    console.print(f"Verdict: {escape(str(study.verdict))}", soft_wrap=True)


def _leaderboard(verdict: Verdict, title: str, *, wide: bool) -> Table:
    board = verdict.table
    keys = _keys(verdict)
    table = Table(
        title=f"{title}: {len(board)} runs, best first", box=SIMPLE_HEAD, padding=(0, 1, 0, 0)
    )
    table.add_column("")
    table.add_column("run", overflow="fold", min_width=24)
    for name in ("ROC-AUC", "95 %", *(("Brier", "ECE") if wide else ()), "Δ best", "p", ""):
        table.add_column(name, no_wrap=True)
    for row in board.head(SHOWN).to_dict("records"):
        best = row["id"] == verdict.winner.id
        table.add_row(
            str(row["rank"]),
            escape(_run(row, keys)),
            f"{row['roc_auc']:.3f}",
            f"{row['roc_auc_low']:.3f}–{row['roc_auc_high']:.3f}",
            *((f"{row['brier']:.3f}", f"{row['ece']:.3f}") if wide else ()),
            "" if best else f"{row['difference']:+.3f}",
            "" if best else f"{row['p']:.2g}",
            "best" if best else "tied" if row["tied"] else "",
            style="bold" if best else None,
        )
    if len(board) > SHOWN:
        table.caption = f"{len(board) - SHOWN} more in leaderboard.csv"
    return table


def _keys(verdict: Verdict) -> list[str]:
    """The leaderboard's columns that tell runs apart, components first."""
    metrics = [f"{name}{end}" for name in verdict.winner.metrics for end in ("", "_low", "_high")]
    keys = [str(column) for column in verdict.table if column not in {*metrics, *STANDING}]
    return sorted(keys, key=lambda key: "." in key)


def _run(row: Mapping[Hashable, Any], keys: Sequence[str]) -> str:
    """A run by what tells it from the others; components by their bare name."""
    told = []
    for key in keys:
        value = row[key]
        shown = ("on" if value else "off") if isinstance(value, bool) else value
        told.append(str(value) if "." not in key else f"{key.split('.', 1)[1]}={shown}")
    return " ".join(told) or str(row["id"])


def _left_out(console: Console, verdict: Verdict, unfinished: int) -> None:
    for record in verdict.others:
        first = (record.reason or "").splitlines()[:1]
        told = f"{record.state.replace('_', ' ')}: {' '.join(record.overrides)}: {' '.join(first)}"
        console.print(escape(told), soft_wrap=True)
    if unfinished:
        console.print(f"[yellow]{unfinished} runs were interrupted and are not compared.[/]")


def _sealed(sealed: SealedTest) -> Table:
    title = f"Sealed test: {sealed.customers} customers no run has seen"
    table = Table(title=title, box=SIMPLE_HEAD)
    for name in ("metric", "value", "95 %", ""):
        table.add_column(name)
    for name, found in sealed.metrics.items():
        better = "higher is better" if found["higher_is_better"] else "lower is better"
        interval = f"{found['low']:.3f}–{found['high']:.3f}"
        table.add_row(name, f"{found['value']:.3f}", interval, better)
    return table


def _ledger(sealed: SealedTest) -> str:
    count = len(sealed.openings)
    if count == 1:
        return "The sealed test was opened once."
    return (
        f"[yellow]The sealed test was opened {count} times, for different winners: its result is "
        "no longer that of a single look.[/]"
    )


def _segments(segments: pd.DataFrame, scored: dict[str, int], caption: str) -> Table:
    origins = ", ".join(f"{n} {origin.replace('_', ' ')}" for origin, n in scored.items())
    title = f"Segments of {sum(scored.values())} customers ({origins})"
    table = Table(title=title, caption=caption, box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    money = "profit" in segments
    table.add_column("segment")
    for name in ("customers", "share", "risk", "95 %", *(("profit", "at risk") if money else ())):
        table.add_column(name, justify="right", no_wrap=True)
    for row in segments.to_dict("records"):
        table.add_row(
            escape(row["segment"]),
            str(row["customers"]),
            f"{row['share']:.0%}",
            f"{row['risk']:.2f}",
            f"{row['risk_low']:.2f}–{row['risk_high']:.2f}",
            *((f"{row['profit']:,.0f}", f"{row['profit_at_risk']:,.0f}") if money else ()),
        )
    return table


def _calibration(verdict: Verdict) -> str:
    brier, ece = verdict.winner.metrics["brier"], verdict.winner.metrics["ece"]
    return (
        f"Risk is read as a probability; its calibration out of fold: Brier {brier.mean:.4f} "
        f"[{brier.low:.4f}, {brier.high:.4f}], ECE {ece.mean:.3f} [{ece.low:.3f}, {ece.high:.3f}]."
    )
