"""The calibration in sentences: what it is, how it was chosen, where risks are wrong."""

from __future__ import annotations

from retain.record.campaign_document import CampaignDocument
from retain.record.estimates import Estimate
from retain.record.segments_document import RecalibrationInfo
from retain.record.verdict_document import VerdictDocument
from retain.report.text.numbers import Number
from retain.report.text.words import Message, Values, interval, message
from retain.report.tree import present
from retain.verdict.curves import CALIBRATION_LEVEL


def calibration_text(campaign: CampaignDocument) -> list[Message]:
    """Return the recalibration, its basis, and the test of profit; those that are known."""
    messages = (_recalibration(campaign), _basis(campaign), _profit_test(campaign))
    return [one for one in messages if one is not None]


def gap_conclusion(tree: VerdictDocument) -> Message:
    """Return whether the scores differ from observed shares by more than chance, by one test.

    Every sentence about the calibration error ends with it.
    """
    bins = () if tree.curves is None else tree.curves.calibration
    if not bins:
        return message("calibration.not_tested")
    n_off = sum(one.is_miscalibrated for one in bins)
    values = {"bins": Number(len(bins), "count"), "level": Number(CALIBRATION_LEVEL, "plain")}
    if n_off:
        return message("calibration.gaps", n=Number(n_off, "count"), **values)
    return message("calibration.within_chance", **values)


def miscalibrated_values(tree: VerdictDocument) -> Values:
    """Return the numbers of flagged segments and tenths by placeholder."""
    check = present(present(tree.planned_campaign).calibration_check)
    return {
        "segments": Number(check.n_flagged_segments, "count"),
        "tenths": Number(check.n_flagged_tenths, "count"),
        "tests": Number(check.n_tests, "count"),
        "level": Number(check.level, "plain"),
    }


def _recalibration(campaign: CampaignDocument) -> Message:
    """Return slope and intercept, and the conclusion about the scores before recalibration."""
    calibration = campaign.recalibration
    count = message("campaign.customers", n=Number(calibration.n_customers, "count"))
    key = f"trust.calibrated.{_spread(calibration.slope)}"
    return message(key, customers=count, **slope_values(calibration))


def _basis(campaign: CampaignDocument) -> Message:
    """Return the chosen calibration with its log-loss beside those of the others."""
    calibration = campaign.recalibration
    basis = calibration.out_of_fold.basis
    name = message(f"trust.basis.{basis}")
    losses = calibration.log_loss.get("out_of_fold")
    if not losses:
        return message("trust.basis_only", basis=name)
    return message(
        "trust.basis_chosen",
        basis=name,
        loss=Number(losses[basis], "score"),
        best=Number(min(loss for name, loss in losses.items() if name != "identity"), "score"),
        scores=Number(losses["identity"], "score"),
    )


def _profit_test(campaign: CampaignDocument) -> Message | None:
    """Return the test whether profit tells more of the decline than the score."""
    test = campaign.recalibration.profit_test
    if test is None:
        return None
    return message(
        "trust.profit_used" if test.is_used else "trust.profit_unused",
        p=Number(test.p, "p"),
        level=Number(test.level, "plain"),
        odds=Number(test.odds_ratio, "times"),
    )


def slope_values(calibration: RecalibrationInfo) -> Values:
    """Return slope and intercept of the recalibration by placeholder."""
    slope = calibration.slope
    return {
        "slope": Number(slope.value, "times"),
        "range": interval(slope.low, slope.high, "times"),
        "intercept": Number(calibration.intercept, "times"),
    }


def _spread(slope: Estimate) -> str:
    """Return the key for scores spread about right, too widely, or too little.

    >>> [_spread(Estimate(low + 0.1, low, low + 0.3)) for low in (0.6, 0.9, 1.1)]
    ['sure', 'fine', 'timid']
    """
    if slope.high < 1:
        return "sure"
    return "timid" if slope.low > 1 else "fine"
