"""The looks at a trial whose outcomes arrive in waves: more customers, or outcomes of more."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from retain.campaign.readout.looks import (
    HARM_LEVEL,
    Monitor,
    add_look,
    find_repeated_looks,
)
from retain.campaign.trial.trial import Trial
from retain.record.documents import CautionInfo
from retain.record.looks_document import Look, LookCorrection
from retain.record.trial_document import ArmEffect
from retain.schema.readout import Monitoring

MIN_INFORMATION = 1e-6
"""Share of the planned information that a comparison without outcomes is taken to have."""
OUTCOME_FORMAT = "%.12g"
"""Format of outcomes in their hash, without the noise of sums of floats."""


def add_trial_look(
    earlier: Sequence[Look], trial: Trial, monitoring: Monitoring, n_planned: int
) -> tuple[Look, ...]:
    """Return the looks at a trial with this one last, as in ``add_look``.

    Its information is that of the arm that least is known of, on the primary outcome.
    """
    least = min(
        _information(trial, arm, trial.arms[0], trial.outcome.name, n_planned)
        for arm in trial.arms[1:]
    )
    return add_look(earlier, hash_trial(trial), least, monitoring)


def hash_trial(trial: Trial) -> str:
    """Return the SHA-256 of arms and outcomes in the order of the ids, as hex digits."""
    order = np.argsort(trial.ids.astype(str), kind="stable")
    digest = hashlib.sha256(trial.arm[order].astype("<i8").tobytes())
    for outcome in trial.outcomes.values():
        cells = np.where(outcome.values == 0, 0.0, outcome.values)[order]
        digest.update(" ".join(np.char.mod(OUTCOME_FORMAT, cells)).encode())
    return digest.hexdigest()


def _information(trial: Trial, arm: str, versus: str, outcome: str, n_planned: int) -> float:
    """Return the information of a difference of means, by that of all customers planned.

    Those still to come are taken to be divided over the arms as the others.
    """
    observed = np.isfinite(trial.outcomes[outcome].values)
    pair = [trial.arms.index(name) for name in (arm, versus)]
    possible = (trial.propensity[:, pair] > 0).all(axis=1)
    found, everyone = (
        math.prod(sizes) / max(sum(sizes), 1)
        for sizes in (
            [int((rows & (trial.arm == one)).sum()) for one in pair]
            for rows in (possible & observed, possible)
        )
    )
    share = found / max(everyone, 1) * len(trial.ids) / n_planned
    return max(share, MIN_INFORMATION)


@dataclass(frozen=True)
class TrialMonitor:
    """The correction of a trial's comparisons for looks before and after this one, the last."""

    trial: Trial
    looks: tuple[Look, ...]
    n_planned: int
    alpha: float

    @classmethod
    def once(cls, trial: Trial, alpha: float) -> TrialMonitor:
        """Return that of a trial that is looked at once, when it is over."""
        n = len(trial.ids)
        return cls(trial, add_trial_look((), trial, "once", n), n, alpha)

    @property
    def whole(self) -> Monitor:
        """The correction by the information of the look."""
        return Monitor.of(self.looks, self.alpha)

    def of(self, arm: str, versus: str, outcome: str) -> Monitor:
        """Return the correction of a comparison, by the information that it has itself."""
        return self.whole.at(_information(self.trial, arm, versus, outcome, self.n_planned))

    def of_row(self, row: ArmEffect) -> Monitor:
        """Return the correction of a row."""
        return self.of(row.arm, row.versus, row.outcome)

    def correct(self, rows: Sequence[ArmEffect]) -> list[ArmEffect]:
        """Return the rows with the p that counts all looks."""
        return [
            row if row.p is None else row.model_copy(update={"p": self.of_row(row).correct(row.p)})
            for row in rows
        ]

    def summarise(
        self, rows: Sequence[ArmEffect], expected_effect: float | None, power: float
    ) -> LookCorrection:
        """Return how the intervals allow for other looks, and how long to wait for an effect."""
        level, width = self.whole.level, self.whole.width
        n_more = None if expected_effect is None else self._wait(rows, expected_effect, power)
        return LookCorrection(level=level, width=width, n_more=n_more)

    def _wait(self, rows: Sequence[ArmEffect], effect: float, power: float) -> int | None:
        """Return the customers until the slowest arm would show the effect; None if out of reach.

        Whoever looks only once and has not seen it will look again, and allow for that.
        """
        primary = [row for row in rows if row.role == "primary" and row.standard_error]
        growths = []
        for row in primary:
            monitor = self.of_row(row).divide(len(primary))
            errors = effect / (row.standard_error or math.inf)
            growth = monitor.find_growth(errors, power)
            if growth > 1 and monitor.method == "once":
                growth = replace(monitor, method="always_valid").find_growth(errors, power)
            growths.append(growth)
        longest = max(growths, default=math.inf)
        n_observed = int(np.isfinite(self.trial.y).sum())
        return math.ceil(n_observed * (longest - 1)) if math.isfinite(longest) else None

    def cautions(self, rows: Sequence[ArmEffect]) -> Iterator[CautionInfo]:
        """Yield that looks add up, and arms to be stopped, by rows with the p of this look."""
        yield from find_repeated_looks(self.looks, self.alpha)
        tested = [row for row in rows if row.role == "primary" and row.p is not None]
        for row in tested:
            gap = row.tested_difference
            if row.p is None or gap is None or gap.value >= 0:
                continue
            if self.of_row(row).is_harm(row.p, len(tested)):
                yield CautionInfo.of("stop", arm=row.arm, outcome=row.outcome, share=HARM_LEVEL)
