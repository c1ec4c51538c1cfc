"""The findings of each command for CI: its test cases, and its summary as Markdown."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

from retain.cli.ci_report import MAX_ROWS, Case, CiReport, escape_markdown, to_table
from retain.wording import format_ci, to_frequency

if TYPE_CHECKING:
    from retain.execution.plan import PlannedRun, SweepPlan
    from retain.record.comparison_document import GateResult
    from retain.record.document import Record
    from retain.record.exploration_info import ExplorationInfo
    from retain.record.readout_document import EffectRow, ReadoutDocument
    from retain.record.score_document import ScoreDocument
    from retain.record.study import BrokenRun
    from retain.record.trees_document import StudyChange, TreesDocument
    from retain.record.trial_document import ArmEffect, TrialDocument
    from retain.record.verdict_document import VerdictDocument
    from retain.report.text.words import TextCatalogue
    from retain.workflows.cleaning.clean import CleaningDocument
    from retain.workflows.verification.verify import VerificationDocument

METRIC = "roc_auc"


def add_sweep(report: CiReport, plan: SweepPlan, records: Sequence[Record]) -> None:
    """Add a case per run, and a table of the runs, the best first."""
    ended = {record.id: record for record in records}
    runs = [
        (plan.format_name(one.task), ended.get(one.task.id) or _earlier(one)) for one in plan.runs
    ]
    order = sorted(runs, key=lambda run: -_value(run[1]))
    rows = [
        (name, "to do" if record is None else record.state.replace("_", " "), _score(record))
        for name, record in order
    ]
    table = to_table(("run", "state", "ROC-AUC (95 % CI)"), rows)
    head = f"Study {escape_markdown(plan.study.path.name)}: {len(runs):,} runs."
    report.add([_run_case(name, record) for name, record in runs], head, table)


def _earlier(one: PlannedRun) -> Record | None:
    """Return the record of a run that was done before."""
    return one.record if one.pending_reason is None else None


def _value(record: Record | None) -> float:
    return record.metrics[METRIC].value if record is not None and record.metrics else float("-inf")


def _score(record: Record | None) -> str:
    if record is None or not record.metrics:
        return "" if record is None else record.reason or ""
    metric = record.metrics[METRIC]
    return f"{metric.value:.3f} ({format_ci(metric.low, metric.high)})"


def _run_case(name: str, record: Record | None) -> Case:
    if record is None:
        return Case(name, "skipped", "not run")
    seconds = sum(record.seconds.values())
    if record.state == "failed":
        return Case(name, "failed", record.reason or "", seconds)
    if record.state == "not_applicable":
        return Case(name, "skipped", record.reason or "", seconds)
    return Case(name, seconds=seconds)


def add_gate(
    report: CiReport, checks: Sequence[GateResult], broken: Sequence[BrokenRun] = ()
) -> None:
    """Add a case per threshold and per broken run, and what they are."""
    cases = [
        Case(f"gate.{one.name}", "passed" if one.passed else "failed", one.message)
        for one in checks
    ]
    cases += [Case(str(one.directory.path.name), "failed", one.reason) for one in broken]
    lines = [f"- {'✅' if one.passed else '❌'} {escape_markdown(one.message)}" for one in checks]
    lines += [
        f"- ❌ {escape_markdown(one.directory.path.name)}: {escape_markdown(one.reason)}"
        for one in broken
    ]
    report.add(cases, *(["\n".join(lines)] if lines else []))


def add_verdict(report: CiReport, verdict: VerdictDocument) -> None:
    """Add the answer, the sealed test, the campaign, cautions and the best runs."""
    report.add((), "\n\n".join(_verdict_lines(verdict)))
    rows = [
        (
            row["rank"],
            ", ".join(str(row.get(key, "")) for key in verdict.key_columns),
            f"{row[METRIC]:.3f} ({format_ci(row[f'{METRIC}_low'], row[f'{METRIC}_high'])})",
            "tied with the best" if row["tied"] else "",
        )
        for row in verdict.leaderboard
    ]
    report.add((), to_table(("", "run", "ROC-AUC (95 % CI)", ""), rows))


def _verdict_lines(verdict: VerdictDocument) -> Iterator[str]:
    from retain.record.campaign_document import CampaignDocument
    from retain.record.estimates import DisplayName

    yield escape_markdown(verdict.summary)
    if verdict.sealed_test is not None:
        found = verdict.sealed_test.metrics[METRIC]
        yield f"Sealed test: ROC-AUC {found.value:.3f} ({format_ci(found.low, found.high)})."
    campaign = verdict.campaign
    if isinstance(campaign, CampaignDocument):
        plan, unit = campaign.plan, escape_markdown(DisplayName.of(campaign.profit_unit).en)
        net = plan.expected_net
        interval = format_ci(net.low, net.high, ",.0f")
        groups = f"{plan.n_treated:,} contacted, control group of {plan.n_control:,}"
        worth = f"expected net {net.value:,.0f} ({interval}) {unit}"
        kind = "Learning campaign" if campaign.is_learning else "Campaign"
        yield f"{kind} {campaign.id}: {groups}, {worth}."
        if campaign.exploration is not None:
            yield from _explored_lines(campaign.exploration)
    elif campaign is not None:
        yield f"No campaign: {escape_markdown(campaign.reason)}"


def _explored_lines(info: ExplorationInfo) -> Iterator[str]:
    """Yield how many customers explore, what that costs, and what they will show."""
    seen, total = to_frequency(info.power)
    given_up = ""
    if (lost := info.given_up) is not None:
        interval = format_ci(lost.low, lost.high, ",.0f")
        given_up = f", and {lost.value:,.0f} ({interval}) of net value are given up for it"
    who = f"{info.n_customers:,} of {info.n_eligible:,} eligible customers get an offer drawn at"
    yield f"{who} random{given_up}."
    shown = ", ".join(
        f"{escape_markdown(one.name)} {100 * one.minimum_detectable_effect:.0f}"
        for one in info.offers
        if one.minimum_detectable_effect is not None
    )
    points = (
        f"Falls of the share that declines, in points, seen in {seen} of {total} such campaigns"
    )
    yield f"{points}: {shown or 'none'}."


def add_trees(
    report: CiReport, found: TreesDocument, failed: Collection[str], language: str
) -> None:
    """Add a case per study, which fails by the gate, per unreadable run, and their sentences."""
    from retain.report.text.trees import tree_notes
    from retain.report.text.words import words

    catalogue = words(language)
    for change in found.studies:
        _add_study(report, change, catalogue, failed=change.study in failed)
    notes = [catalogue.plain(note) for note in tree_notes(found)]
    gone = [Case(name, "failed", notes[0]) for name in found.gone_studies if name in failed]
    report.add(gone, *map(escape_markdown, notes[:MAX_ROWS]))


def _add_study(
    report: CiReport, change: StudyChange, catalogue: TextCatalogue, *, failed: bool
) -> None:
    from retain.report.text.trees import (
        changed_runs,
        run_cells,
        study_sentence,
        table_messages,
        verdict_sentences,
    )

    sentence = catalogue.plain(study_sentence(change))
    cases = [Case(change.study, "failed" if failed else "passed", sentence)]
    cases += [Case(f"{one.tree} {one.folder}", "failed", one.reason) for one in change.unreadable]
    lines = [f"**{escape_markdown(sentence)}**"]
    lines += [escape_markdown(catalogue.plain(one)) for one in verdict_sentences(change)]
    report.add(cases, *lines)
    if change.n_changed:
        (_, *headings), _ = table_messages(change, MAX_ROWS)
        rows = [run_cells(run, catalogue) for run in changed_runs(change)]
        report.add((), to_table([catalogue.plain(one) for one in headings], rows))


def add_readout(report: CiReport, document: ReadoutDocument | TrialDocument) -> None:
    """Add the effects, of a campaign overall and of offers drawn at random, of a trial by arm."""
    from retain.record.readout_document import ReadoutDocument

    if isinstance(document, ReadoutDocument):
        rows = [_effect("all", row) for row in document.effects if row.scope == "overall"]
        drawn = [row for row in document.explored or () if row.role == "primary"]
        rows += [_effect(f"{row.arm} against {row.versus}", row) for row in drawn]
    else:
        rows = [_effect(f"{row.arm} against {row.versus}", row) for row in document.effects]
    report.add((), to_table(("", "outcome", "difference (95 % CI)", ""), rows))


def _effect(name: str, row: EffectRow | ArmEffect) -> tuple[str, str, str, str]:
    found = row.difference
    interval = (
        "" if found is None else f"{found.value:+.4g} ({format_ci(found.low, found.high, '.4g')})"
    )
    return name, str(row.outcome), interval, row.conclusion.replace("_", " ")


def add_scores(report: CiReport, document: ScoreDocument) -> None:
    """Add how many customers were scored, the drift, and the campaign."""
    drift = document.drift
    shifted = [*drift.strong, *drift.moderate]
    n_customers = sum(one.n_customers for one in document.segments)
    winner, names = escape_markdown(document.winner.name), escape_markdown(", ".join(shifted))
    scored = f"{n_customers:,} customers scored by {winner}."
    drifted = f"Drift of the score: PSI {drift.score_psi:.3f}; shifted features: {names or 'none'}."
    campaign = f"Campaign {document.campaign_id}."
    if document.no_campaign is not None:
        campaign = f"No campaign: {escape_markdown(document.no_campaign.reason)}"
    report.add((), f"{scored} {drifted}", campaign)


def add_verification(report: CiReport, document: VerificationDocument) -> None:
    """Add a case per part that agrees, cannot be verified or does not agree, and a table."""
    cases = [Case(part.name) for part in document.verified]
    cases += [Case(part.name, "skipped", part.reason) for part in document.not_verified]
    rows = [(part.name, f"{part.n_checked:,}") for part in document.verified]
    head = "All agrees."
    if document.disagreement is not None:
        cases.append(Case("agreement", "failed", document.disagreement))
        head = f"❌ {escape_markdown(document.disagreement)}"
    left = [(part.name, part.reason) for part in document.not_verified]
    report.add(cases, head, to_table(("agrees", "files or values"), rows))
    report.add((), to_table(("not verified", "because"), left))


def add_cleaning(report: CiReport, document: CleaningDocument) -> None:
    """Add a table of what can go or went, and one of what stays."""
    rows = [(one.name, one.reason, len(one.paths), one.n_bytes) for one in document.going]
    head = "removed" if document.is_removed else "can go"
    report.add((), to_table((head, "because", "how many", "bytes"), rows))
    staying = [(one.name, one.reason, one.n) for one in document.staying]
    report.add((), to_table(("stays", "because", "how many"), staying))
