"""What a winner led to, in values that any process can take. Imports nothing heavy but pandas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from retain.app.shared_memory import SharedValue
from retain.errors import NotApplicable
from retain.learning.scores import Scores
from retain.verdict.sealed import SealedTest

if TYPE_CHECKING:
    from retain.reasons.explain import Explained


@dataclass(frozen=True)
class TrainingData:
    """A winner's scores and customers, read once for all processes of a comparison.

    Attributes
    ----------
    scores
        The out-of-fold scores its run wrote.
    customers
        The customers it learnt from with their splits, a ``Prepared``; None where they are not at
        hand.
    missing
        The message that asks for the customers; None where they are at hand.
    """

    scores: SharedValue
    customers: SharedValue | None
    missing: str | None


@dataclass(frozen=True)
class Carried:
    """The winner on its customers.

    Attributes
    ----------
    sealed
        Its result on the customers no run has seen; who asked for it writes the ledger.
    scores
        Their scores.
    model
        Name and SHA-256 of the model's file.
    reference
        Name and SHA-256 of the file that tells of the training customers.
    explained
        The sealed customers explained, by model, or why they are not; None where nobody asked.
    """

    sealed: SealedTest
    scores: Scores
    model: dict[str, str]
    reference: dict[str, str]
    explained: list[Explained] | NotApplicable | None


@dataclass(frozen=True)
class Followed:
    """The winner's curves, and what it led to where its customers are at hand."""

    curves: dict[str, Any]
    carried: Carried | None
