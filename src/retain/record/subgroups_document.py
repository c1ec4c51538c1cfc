"""``subgroups`` of ``trial.json``: effects of arms by subgroup, and whether these differ."""

from __future__ import annotations

from typing import Literal

from retain.record.documents import optional
from retain.record.estimates import Estimate
from retain.schema.parsing import Config

SubgroupKind = Literal["level", "band", "other", "missing"]


class InteractionTest(Config):
    """The test that an arm has the same effect in all subgroups of a covariate (Cochran's Q).

    ``p`` is None where fewer than two subgroups are compared; ``p_adjusted`` is corrected for the
    number of all such tests; the difference ``is_shown`` if that is below the trial's ``alpha``.
    """

    covariate: str
    arm: str
    q: float | None
    df: int
    p: float | None
    p_adjusted: float | None
    is_shown: bool


class SubgroupRow(Config):
    """The effect of an arm against the control arm on the primary outcome, within a subgroup.

    Attributes
    ----------
    kind
        A ``level`` of a category, a ``band`` of a number, all ``other`` levels, or those whose
        covariate is ``missing``; of the latter two ``subgroup`` is empty.
    n_arm, n_versus
        Customers with the outcome.
    difference
        The intervals of all rows hold together; None with too few customers.
    basis
        Whether that is the plain ``difference``, or the one ``adjusted`` by the covariates.
    """

    covariate: str
    subgroup: str
    kind: SubgroupKind
    arm: str
    n_arm: int
    n_versus: int
    arm_mean: float | None
    versus_mean: float | None
    difference: Estimate | None
    basis: Literal["difference", "adjusted"] | None = optional()


class TrialSubgroups(Config):
    """Subgroups of a trial's customers, by one covariate each.

    Attributes
    ----------
    tests
        One per covariate and arm.
    rows
        One per covariate, subgroup and arm.
    beyond
        Covariates that customers are not split by, as there are so many.
    """

    tests: tuple[InteractionTest, ...] = ()
    rows: tuple[SubgroupRow, ...] = ()
    beyond: tuple[str, ...] = ()

    @property
    def shown_tests(self) -> tuple[InteractionTest, ...]:
        """The tests that show a difference."""
        return tuple(test for test in self.tests if test.is_shown)

    @property
    def is_adjusted(self) -> bool:
        """True if a difference is adjusted by the covariates."""
        return any(row.basis == "adjusted" for row in self.rows)

    def of(self, test: InteractionTest) -> tuple[SubgroupRow, ...]:
        """Return the rows that a test is about."""
        pair = (test.covariate, test.arm)
        return tuple(row for row in self.rows if (row.covariate, row.arm) == pair)
