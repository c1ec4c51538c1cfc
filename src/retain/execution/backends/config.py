"""Where the runs of a sweep are done: on this machine, as jobs of a cluster, or on Ray's workers.

``hydra/launcher=`` chooses. Hydra's own launcher plugins are not used: they compose each run again
on the far side, and one run's death costs the others there. Ours take tasks that are composed,
checked and found missing already, so identity, states and resumption are the same everywhere.
"""

from __future__ import annotations

import os
from typing import Annotated, Any, Literal

from pydantic import Field

from retain.schema import Config, Run

Count = Annotated[int, Field(ge=1, le=1_000_000)]
Positive = Annotated[float, Field(gt=0, le=1_000_000)]


class Local(Config):
    """Worker processes of this machine; ``workers`` says how many."""

    engine: Literal["basic"]

    def at_once(self, first: Run) -> int:
        """How many runs are done at a time."""
        return first.workers or os.cpu_count() or 1


class Jobs(Config):
    """Jobs, each of which does a share of the runs."""

    jobs: Annotated[int, Field(ge=1, le=1000)]
    workers_per_job: Count
    runs_per_job: Annotated[int, Field(ge=0, le=1_000_000)]
    timeout_min: Count

    def at_once(self, _: Run) -> int:
        """How many runs are done at a time, once all jobs have begun."""
        return self.jobs * self.workers_per_job


class SubmititLocal(Jobs):
    """Jobs that are processes of this machine."""

    engine: Literal["submitit_local"]


class Slurm(Jobs):
    """Jobs of a SLURM cluster."""

    engine: Literal["submitit_slurm"]
    mem_gb: Positive | None
    partition: str | None
    account: str | None
    qos: str | None
    constraint: str | None
    setup: tuple[str, ...]
    parameters: dict[str, Any]


class Ray(Config):
    """Workers on the nodes of a Ray cluster."""

    engine: Literal["ray"]
    address: str | None
    wait_min: Positive

    def at_once(self, first: Run) -> int:
        """How many runs are done at a time, as far as it can be told before Ray is there."""
        return first.workers or os.cpu_count() or 1


Backend = Local | SubmititLocal | Slurm | Ray
KINDS: dict[str, type[Backend]] = {
    "basic": Local,
    "submitit_local": SubmititLocal,
    "submitit_slurm": Slurm,
    "ray": Ray,
}
