"""As far as a run goes before a race holds it against the others, and how far it came.

Imports nothing heavy.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Leg:
    """A part of a run that is done in one go.

    Attributes
    ----------
    folds
        How many folds the run has at the end of it, earlier legs included.
    final
        Whether the race stops the run there, so that it ends with these folds.
    spent
        Seconds that its earlier legs took, which limits count.
    """

    folds: int
    final: bool = False
    spent: float = 0.0


@dataclass(frozen=True)
class Progress:
    """How far a run is that has not ended.

    Attributes
    ----------
    id
        The run's.
    roc_auc
        One for each fold it has, in the order of the splits; higher is better.
    seconds
        What its phases took, all legs together.
    spent
        Wall seconds of all legs, what is no phase included.
    """

    id: str
    roc_auc: tuple[float, ...]
    seconds: float
    spent: float
