"""Terminal output of a comparison. Computes nothing."""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.console import Console

from retain.cli.terminal.campaign import print_campaign, print_campaign_path, print_segments
from retain.cli.terminal.console import Table, literal
from retain.cli.terminal.data import label_lines, snapshots_table
from retain.cli.terminal.explanations import print_explanations
from retain.verdict.by_snapshot import score_by_snapshot
from retain.verdict.config_keys import label_run
from retain.verdict.curves import CALIBRATION_LEVEL
from retain.verdict.document import list_cautions
from retain.wording import (
    describe_count,
    format_ci,
    format_interval,
    format_p,
    format_signed,
    format_value,
)

if TYPE_CHECKING:
    from retain.record.comparison_document import CalibrationBin, GateResult, RunDifference
    from retain.record.study import StudyDirectory
    from retain.verdict.document import ComparisonExtras
    from retain.verdict.sealed_test import SealedTest
    from retain.verdict.verdict import Verdict


MAX_ROWS = 25
"""Maximum number of rows of the leaderboard; the file has all of them."""
MIN_WIDE_COLUMNS = 100
"""Minimum width of a terminal for Brier score, ECE and seconds of fits, in columns."""


def print_comparison(
    console: Console,
    study: StudyDirectory,
    verdict: Verdict,
    findings: ComparisonExtras,
    *,
    missing: str | None,
) -> None:
    """Print leaderboard, verdict, effects, sealed test, segments and campaign."""
    console.print(_leaderboard(verdict, study.path.name, wide=console.width >= MIN_WIDE_COLUMNS))
    _print_excluded(console, verdict, findings)
    console.print(f"[bold]{literal(verdict.sentence)}[/]")
    for caution in list_cautions(verdict, findings.explanations):
        console.print(f"[yellow]{literal(caution.sentence)}[/]")
    chance = findings.chance
    colour = "[yellow]" if chance.status == "not_shown" else "[default]"
    console.print(f"{colour}{literal(chance.message)}[/]")
    if verdict.effects:
        console.print(_effects(verdict))
    if findings.explanations is not None:
        print_explanations(console, findings.explanations)
    _print_winner(console, verdict, findings)
    if missing is not None:
        console.print(f"[yellow]{literal(missing)}[/]")
    for difference in findings.diffs:
        if difference.requested:
            print_diff(console, difference)
    print_gate(console, findings.gate or ())
    results = findings.customer_results
    print_campaign_path(console, study, None if results is None else results.campaign)


def print_files(console: Console, study: StudyDirectory, lost: Sequence[str]) -> None:
    """Print the path of the verdict, and the files that only the previous one had."""
    if lost:
        message = f"The previous verdict had {', '.join(lost)}; this one does not."
        console.print(f"[yellow]{literal(message)}[/]", soft_wrap=True)
    console.print(f"Verdict: {literal(study.verdict)}", soft_wrap=True)


def print_gate(console: Console, checks: Sequence[GateResult]) -> None:
    """Print each threshold and whether it is reached."""
    for check in checks:
        console.print(f"[{'green' if check.passed else 'red'}]gate: {literal(check.message)}[/]")


def _print_winner(console: Console, verdict: Verdict, findings: ComparisonExtras) -> None:
    """Print the winner's sealed test, snapshots, segments and campaign."""
    sealed = findings.sealed
    if sealed is not None:
        console.print(_sealed(sealed, verdict.winner.split.sealed_snapshot))
        message = literal(sealed.description)
        console.print(message if len(sealed.accesses) == 1 else f"[yellow]{message}[/]")
    if snapshots := score_by_snapshot(verdict.winner, sealed):
        console.print(snapshots_table(snapshots))
    if verdict.winner.data.label is not None:
        for line in label_lines(verdict.winner.data.label.quality):
            console.print(literal(line), soft_wrap=True, highlight=False)
    results = findings.customer_results
    if sealed is None or results is None:
        return
    print_segments(console, results)
    bins = () if findings.curves is None else findings.curves.calibration
    console.print(_calibration(verdict, bins))
    if results.campaign is not None:
        print_campaign(console, results.campaign)


def print_diff(console: Console, difference: RunDifference) -> None:
    """Print two runs side by side."""
    a, b = literal(difference.a), literal(difference.b)
    config = Table("key", a, b, title="What differs", box=SIMPLE_HEAD)
    for row in difference.config:
        config.add_row(literal(row.key), literal(row.a), literal(row.b))
    metrics = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for name in ("metric", a, b, "Δ", "95 % CI", "p"):
        metrics.add_column(name, no_wrap=name != "95 % CI")
    for metric in difference.metrics:
        change = metric.difference
        metrics.add_row(
            literal(metric.name),
            f"{metric.a:.4f}",
            f"{metric.b:.4f}",
            format_signed(change.value, "+.4f"),
            format_interval(change.low, change.high, "+.4f"),
            format_p(metric.p),
        )
    console.print(
        config if difference.config else "The two runs differ in no key that can change a result."
    )
    console.print(metrics)
    if difference.largest_changes:
        moved = Table("customer", a, b, "Δ", title="Customers whose risk differs most")
        moved.box = SIMPLE_HEAD
        for one in difference.largest_changes:
            cells = (f"{one.a:.3f}", f"{one.b:.3f}", format_signed(one.b - one.a))
            moved.add_row(literal(one.customer_id), *cells)
        console.print(moved)


def _effects(verdict: Verdict) -> Table:
    table = Table(title="Effect of each setting on ROC-AUC", box=SIMPLE_HEAD)
    table.padding = (0, 1, 0, 0)
    table.add_column("setting", overflow="fold")
    for name in ("Δ", "95 % CI", "p", "pairs", "runs"):
        table.add_column(name, no_wrap=True)
    rows = [(effect, level) for effect in verdict.effects for level in effect.levels]
    for effect, shown in itertools.groupby(rows[:MAX_ROWS], key=lambda row: row[0]):
        table.add_row(literal(f"{effect.factor}, from {format_value(effect.reference)} to"))
        for _, level in shown:
            interval = format_interval(level.difference.low, level.difference.high, "+.3f")
            text = (format_signed(level.difference.value), interval, format_p(level.p))
            runs = f"{level.n_reference_runs} : {level.n_runs}"
            name = literal(format_value(level.level))
            table.add_row(f"  {name}", *text, str(level.n_pairs), runs)
    holes = sum(effect.missing_runs.n_runs for effect in verdict.effects)
    captions = ["pairs: alike in all other settings; runs: averaged, from : to"]
    captions += [f"{len(rows) - MAX_ROWS} more in verdict.json"] if len(rows) > MAX_ROWS else []
    missing = describe_count(holes, "missing combination")
    captions += [f"{missing}, listed in verdict.json"] if holes else []
    table.caption = "; ".join(captions) or None
    return table


def _leaderboard(verdict: Verdict, title: str, *, wide: bool) -> Table:
    board = verdict.table
    table = Table(
        title=f"{literal(title)}: {describe_count(len(board), 'run')}, best first",
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
    table.add_column("")
    table.add_column("run", overflow="fold", min_width=24)
    for name in ("ROC-AUC", "95 % CI", *(("Brier", "ECE") if wide else ()), "Δ best", "p adj."):
        table.add_column(name, no_wrap=True)
    table.add_column("")
    if wide:
        table.add_column("fit, s", justify="right", no_wrap=True)
    for row in board.head(MAX_ROWS).to_dict("records"):
        best = row["id"] == verdict.best.id
        table.add_row(
            str(row["rank"]),
            literal(label_run(row, verdict.keys)),
            f"{row['roc_auc']:.3f}",
            format_interval(row["roc_auc_low"], row["roc_auc_high"]),
            *((f"{row['brier']:.3f}", f"{row['ece']:.3f}") if wide else ()),
            "" if best else format_signed(row["difference"]),
            "" if best else format_p(row["p_adjusted"]),
            _versus_best(row, verdict),
            *((f"{row['fit_seconds']:.1f}",) if wide else ()),
            style="bold" if best else None,
        )
    notes = [f"{len(board) - MAX_ROWS} more in leaderboard.csv"] if len(board) > MAX_ROWS else []
    if (board["p_adjusted"] < board["p"]).any():
        notes.append("p adj. is by customers and all runs, p in leaderboard.csv by folds of two")
    table.caption = "; ".join(notes) or None
    return table


def _versus_best(row: Mapping[Hashable, Any], verdict: Verdict) -> str:
    """Return a run's comparison with the best."""
    if row["id"] == verdict.best.id:
        return "best"
    if row["stopped_early"]:
        return f"stopped after {row['n_folds']}"
    if row["id"] == verdict.winner.id:
        return "chosen"
    return "tied" if row["tied"] else "lower"


def _print_excluded(console: Console, verdict: Verdict, findings: ComparisonExtras) -> None:
    for record in verdict.others:
        first = (record.reason or "").splitlines()[:1]
        message = (
            f"{record.state.replace('_', ' ')}: {' '.join(record.overrides)}: {' '.join(first)}"
        )
        console.print(literal(message), soft_wrap=True)
    for run in findings.broken:
        message = f"broken: {run.directory.path.name}: {run.reason.splitlines()[0]}"
        console.print(f"[red]{literal(message)}[/]", soft_wrap=True)
    if findings.broken:
        message = describe_count(len(findings.broken), "run is", "runs are")
        console.print(
            f"{message} broken and left out. The command that made such a run does it again; a "
            "folder that was copied or renamed can be deleted.",
            soft_wrap=True,
        )
    if findings.interrupted:
        were = describe_count(findings.interrupted, "run was", "runs were")
        console.print(f"[yellow]{were} interrupted and not compared.[/]")
    if findings.running:
        are = describe_count(findings.running, "run is", "runs are")
        console.print(f"[yellow]{are} still running and not compared.[/]")
    if findings.repeated:
        are = describe_count(findings.repeated, "run is", "runs are")
        console.print(f"{are} in several studies; each counts once.")


def _sealed(sealed: SealedTest, day: str | None) -> Table:
    customers = f"{describe_count(sealed.customers, 'customer')} not used by any run"
    title = f"Sealed test: {customers}" + ("" if day is None else f", snapshot {literal(day)}")
    table = Table(title=title, box=SIMPLE_HEAD)
    for name in ("metric", "value", "95 % CI", ""):
        table.add_column(name)
    for name, found in sealed.metrics.items():
        better = "higher is better" if found.higher_is_better else "lower is better"
        if found.raw is not None and found.if_calibrated is not None:
            better += (
                f"; {found.raw:.3f} before its bias, a calibrated score would show "
                f"{found.if_calibrated:.3f}"
            )
        interval = format_interval(found.low, found.high)
        table.add_row(literal(name), f"{found.value:.3f}", interval, better)
    return table


def _calibration(verdict: Verdict, bins: Sequence[CalibrationBin]) -> str:
    off = sum(one.is_miscalibrated for one in bins)
    shown = f"in {off} of {len(bins)} bins" if off else f"in none of {len(bins)} bins"
    brier, ece = verdict.winner.metrics["brier"], verdict.winner.metrics["ece"]
    return (
        f"Calibration in cross-validation: Brier {brier.value:.4f} "
        f"({format_ci(brier.low, brier.high, '.4f')}), "
        f"ECE {ece.value:.3f} ({format_ci(ece.low, ece.high)}), of which noise makes a part: the "
        f"gap is larger than chance {shown} (corrected p < {CALIBRATION_LEVEL})."
    )
