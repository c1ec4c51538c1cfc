"""Where the runs of a sweep are done: on this machine, as jobs of a cluster, or on Ray's workers.

``hydra/launcher=`` chooses. Hydra's own launcher plugins are not used: they compose each run again
on the far side, and one run's death costs the others there. Ours take tasks that are composed,
checked and found missing already, so identity, states and resumption are the same everywhere.
"""

from __future__ import annotations

import os
from typing import Annotated, Any, Literal

from pydantic import Field

from retain.app.configs import Composed, resolved
from retain.errors import RetainError
from retain.schema import Config, Processes, Run, check_mapping, parse

Count = Annotated[int, Field(ge=1, le=1_000_000)]
Positive = Annotated[float, Field(gt=0, le=1_000_000)]


class Local(Config):
    """Worker processes of this machine; how many is the ``launcher`` node's to say."""

    engine: Literal["basic"]

    def at_once(self, first: Run) -> int:
        """How many runs are done at a time."""
        return first.launcher.workers or os.cpu_count() or 1


class Jobs(Config):
    """Jobs, each of which does a share of the runs."""

    jobs: Annotated[int, Field(ge=1, le=1000)]
    workers: Count
    runs_per_job: Annotated[int, Field(ge=0, le=1_000_000)]
    timeout_min: Count

    def at_once(self, _: Run) -> int:
        """How many runs are done at a time, once all jobs have begun."""
        return self.jobs * self.workers


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
    workers: Processes
    wait_min: Positive

    def at_once(self, _: Run) -> int:
        """How many runs are done at a time, as far as it can be told before Ray is there."""
        return self.workers or os.cpu_count() or 1


Engine = Local | SubmititLocal | Slurm | Ray
BASIC = "hydra._internal.core_plugins.basic_launcher.BasicLauncher"
"""What ``basic`` is to Hydra, whose types no file of ours by that name would pass."""
KINDS: dict[str, type[Engine]] = {
    "basic": Local,
    "submitit_local": SubmititLocal,
    "submitit_slurm": Slurm,
    "ray": Ray,
}


def chosen(composed: Composed) -> Engine:
    """The engine a line asks for.

    Raises
    ------
    RetainError
        When a key or value of ``hydra.launcher`` is wrong, or it is a launcher of Hydra's plugins,
        or a race is asked for where none can be run.
    """
    node = _node(composed)
    name = str(node.get("engine"))
    if name not in KINDS:
        found = node.get("engine", node.get("_target_"))
        raise RetainError(
            f"hydra.launcher is {found!r}, which is no engine of retain's; "
            f"type hydra/launcher= with one of {', '.join(KINDS)}."
        )
    if composed.run.validation.racing and name != "basic":
        raise RetainError(
            "validation.racing=true compares all runs after every fold, which is done on one "
            f"machine; got hydra/launcher={name}. Leave one of the two out."
        )
    return parse(KINDS[name], node, "hydra.launcher")


def _node(composed: Composed) -> dict[str, Any]:
    """The launcher's node with its references resolved; Hydra's default stands for ours."""
    launcher = composed.hydra["launcher"]
    tree = resolved({**composed.tree, "hydra": {"launcher": launcher}})
    node = check_mapping("hydra.launcher", tree["hydra"]["launcher"])
    if node.get("_target_") == BASIC:
        node["engine"] = "basic"
        del node["_target_"]
    return node
