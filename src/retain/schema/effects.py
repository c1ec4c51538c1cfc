"""The node ``effects``: how the effects of offers are learned from readouts."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from retain.schema.names import to_tuple
from retain.schema.parsing import Config, Node


class Effects(Config):
    """A learner with the models of outcomes and of effects; ``none`` learns nothing.

    ``folds`` is of the cross-fitting, ``alpha`` the level of tests and of intervals that hold
    together. Without heterogeneity shown at this level all effects are the mean.
    """

    name: Literal["none", "mean", "t_learner", "dr_learner"]
    outcome: Node | None = None
    effect: Node | None = None
    scaling: Node | None = None
    folds: Annotated[int, Field(ge=3, le=20)] = 5
    alpha: Annotated[float, Field(gt=0, lt=0.5)] = 0.05
    max_categories: Annotated[int, Field(ge=2, le=1000)] = 30


class PlanEffects(Effects):
    """A learner for a plan, and the folders of the campaigns that it learns from."""

    from_: Annotated[tuple[str, ...], BeforeValidator(to_tuple)] = Field(alias="from")


class PolicyLimits(Config):
    """Limits of every plan that is judged, for the customers of the trial or the next campaign.

    ``budget`` is in money, ``capacity`` in customers by arm.
    """

    budget: Annotated[float, Field(ge=0)] | None
    max_contacts: Annotated[int, Field(ge=0)] | None
    capacity: dict[str, Annotated[int, Field(ge=0)]]
