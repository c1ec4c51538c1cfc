"""Configs of the backends: this machine, jobs of a cluster, or the workers of Ray.

``hydra/launcher=`` chooses. Hydra's own launcher plugins are not used: they compose each run again
on the remote machine, where one run that dies ends the others. The backends here take tasks that
are composed, checked and pending, so identity, states and resumption are the same everywhere.
"""

from __future__ import annotations

import os
from typing import Annotated, Literal

from pydantic import Field

from retain.schema.parsing import Config, Node
from retain.schema.run import Run

Count = Annotated[int, Field(ge=1, le=1_000_000)]
Positive = Annotated[float, Field(gt=0, le=1_000_000)]


class Local(Config):
    """Worker processes of this machine."""

    engine: Literal["basic"]

    def parallelism(self, first_run: Run) -> int:
        """Return the number of runs done at a time."""
        return first_run.workers or os.cpu_count() or 1


class JobBackend(Config):
    """Jobs, each of which does some of the runs."""

    jobs: Annotated[int, Field(ge=1, le=1000)]
    workers_per_job: Count
    runs_per_job: Annotated[int, Field(ge=0, le=1_000_000)]
    timeout_min: Count

    def parallelism(self, _: Run) -> int:
        """Return the number of runs done at a time when all jobs have started."""
        return self.jobs * self.workers_per_job


class SubmititLocal(JobBackend):
    """Jobs that are processes of this machine."""

    engine: Literal["submitit_local"]


class Slurm(JobBackend):
    """Jobs of a SLURM cluster."""

    engine: Literal["submitit_slurm"]
    mem_gb: Positive | None
    partition: str | None
    account: str | None
    qos: str | None
    constraint: str | None
    setup: tuple[str, ...]
    parameters: Node


class Ray(Config):
    """Workers on the nodes of a Ray cluster."""

    engine: Literal["ray"]
    address: str | None
    wait_min: Positive

    def parallelism(self, first_run: Run) -> int:
        """Return the expected number of runs done at a time, before Ray has started."""
        return first_run.workers or os.cpu_count() or 1


class PluginLauncher(Config):
    """A registered launcher and its parameters."""

    engine: str
    parameters: Node

    def parallelism(self, first_run: Run) -> int:
        """Return the number of runs submitted at a time."""
        return first_run.workers or os.cpu_count() or 1


Backend = Local | SubmititLocal | Slurm | Ray | PluginLauncher
BACKENDS: dict[str, type[Backend]] = {
    "basic": Local,
    "submitit_local": SubmititLocal,
    "submitit_slurm": Slurm,
    "ray": Ray,
}
