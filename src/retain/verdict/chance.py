"""Whether anything at all was learnt: the best run against a coin.

May import: errors, schema, record, customers, learning.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from retain.record import Record
from retain.verdict.leaderboard import METRIC, fold_scores
from retain.verdict.paired import holm, paired

CHANCE = 0.5


@dataclass(frozen=True)
class Chance:
    """How the best run stands to a ROC-AUC of .5.

    Attributes
    ----------
    beaten
        Whether it is higher by the corrected test, Holm's correction for all runs included, and
        no run that ranks nobody is tied with it.
    p
        The corrected p.
    tied
        Ids of runs that rank nobody (.5 in every fold) and cannot be told from the best.
    """

    beaten: bool
    p: float
    tied: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """The answer in words."""
        if self.beaten:
            return f"The best run beats chance (corrected p = {self.p:.2g} against .5)."
        also = ": a run that ranks nobody is tied with the best" if self.tied else ""
        return (
            f"Nothing beats chance{also} (the best against .5, corrected for the number of runs: "
            f"p = {self.p:.2g})."
        )


def against_chance(records: Sequence[Record], tied: Sequence[str], alpha: float) -> Chance:
    """The best of ``records``, which stands first, against .5.

    The best of many runs on noise lies above .5 by its being chosen: hence the correction for all.
    """
    gaps = fold_scores(records) - CHANCE
    p = float(holm(paired(gaps, records[0].split.test_to_train).p)[0])
    blind = {r.id for r in records if set(r.metrics[METRIC].folds) == {CHANCE}}
    level = tuple(id_ for id_ in tied if id_ in blind)
    beaten = p < alpha and records[0].metrics[METRIC].mean > CHANCE and not level
    return Chance(beaten, p, level)
