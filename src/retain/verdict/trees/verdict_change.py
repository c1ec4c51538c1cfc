"""Differences between the verdicts of two trees: winner, tied runs, segments, plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from retain.record.campaign_document import CampaignDocument
from retain.record.comparison_document import RunName
from retain.record.segments_document import SegmentInfo
from retain.record.trees_document import OfferChange, PlanChange, SegmentChange, VerdictChange
from retain.record.verdict_document import VerdictDocument
from retain.verdict.trees.aspects import shorten
from retain.verdict.trees.matching import Matching

TREES: tuple[Literal["main", "branch"], ...] = ("main", "branch")


def compare_verdicts(
    main: VerdictDocument,
    branch: VerdictDocument,
    matching: Matching,
    names: Mapping[str, str],
    outdated: tuple[bool, bool],
) -> VerdictChange:
    """Return what differs; ``names`` are of the runs of both trees by id."""
    branch_ids = {one.id: other.id for one, other in matching.pairs}
    tied_main = {branch_ids.get(id_, id_): id_ for id_ in main.tied}
    return VerdictChange(
        winners=(_name(main), _name(branch)),
        is_winner_same=branch_ids.get(main.winner.id, main.winner.id) == branch.winner.id,
        newly_tied=tuple(names.get(id_, id_) for id_ in branch.tied if id_ not in tied_main),
        no_longer_tied=tuple(
            names.get(id_, id_) for key, id_ in tied_main.items() if key not in branch.tied
        ),
        segments=tuple(_segment_changes(main, branch)),
        plan=_plan_change(main.planned_campaign, branch.planned_campaign),
        outdated=tuple(tree for tree, is_old in zip(TREES, outdated, strict=True) if is_old),
    )


def _name(verdict: VerdictDocument) -> RunName:
    return RunName(id=verdict.winner.id, name=shorten(verdict.winner.name))


def _segment_changes(main: VerdictDocument, branch: VerdictDocument) -> Iterator[SegmentChange]:
    one, other = (
        {segment.segment: segment for segment in verdict.segments or ()}
        for verdict in (main, branch)
    )
    for name in {**one, **other}:
        was, now = one.get(name), other.get(name)
        change = SegmentChange(
            segment=shorten(name),
            n_main=None if was is None else was.n_customers,
            n_branch=None if now is None else now.n_customers,
            at_risk_main=None if was is None else _at_risk(was),
            at_risk_branch=None if now is None else _at_risk(now),
        )
        if (change.n_main, change.at_risk_main) != (change.n_branch, change.at_risk_branch):
            yield change


def _at_risk(segment: SegmentInfo) -> float | None:
    found = segment.expected_profit_at_risk
    return None if found is None else found.value


def _plan_change(
    main: CampaignDocument | None, branch: CampaignDocument | None
) -> PlanChange | None:
    plans = [None if one is None else one.plan for one in (main, branch)]
    was, now = ((None, None) if p is None else (p.n_treated, p.expected_net) for p in plans)
    offers = tuple(_offer_changes(_offered(main), _offered(branch)))
    if was == now and not offers:
        return None
    return PlanChange(n_treated=(was[0], now[0]), expected_net=(was[1], now[1]), offers=offers)


def _offered(campaign: CampaignDocument | None) -> Mapping[str, int]:
    return {} if campaign is None else {one.name: one.n_treated for one in campaign.offers}


def _offer_changes(main: Mapping[str, int], branch: Mapping[str, int]) -> Iterator[OfferChange]:
    for name in {**main, **branch}:
        was, now = main.get(name, 0), branch.get(name, 0)
        if was != now:
            yield OfferChange(offer=shorten(name), n_main=was, n_branch=now)
