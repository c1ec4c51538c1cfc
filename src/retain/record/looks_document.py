"""Looks at the outcomes of a campaign or trial, in ``readout.json`` and ``trial.json``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from retain.record.documents import Sha256
from retain.schema.parsing import Config

LookMethod = Literal["once", "always_valid", "planned_end"]


class Look(Config):
    """A readout of a campaign, of outcomes unlike those of the looks before.

    ``information`` is that of the observed customers by that of all planned; a trial may pass 1.
    """

    outcomes_sha256: Sha256
    information: Annotated[float, Field(gt=0)]
    method: LookMethod


class LookCorrection(Config):
    """The allowance of the last look's intervals for those before and after it.

    Attributes
    ----------
    level
        Of its intervals if taken alone; all looks together have the campaign's ``alpha``.
    width
        Of its intervals, by those of one look alone.
    n_more
        Customers beyond those observed until the effect that is expected would be seen with the
        campaign's power: 0 if by now, None if out of reach or not known. Of a campaign it is the
        fall of declines that the plan expects.
    """

    level: float
    width: float
    n_more: int | None
