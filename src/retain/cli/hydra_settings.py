"""Settings of Hydra itself: those that have an effect here, and what to type for the others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from retain.errors import RetainError

_DIRECTORIES = (
    "run directories are named by what they hold, and nothing changes the working directory: type "
    "outputs=FOLDER study.name=NAME"
)
_SWEEP = "values are swept by KEY=ONE,OTHER with -m, and searched for by tuning=optuna"
_LOGS = "each run logs to run.log in its directory; for more type hydra.verbose=true"
_JOB = "a run is named by its choices; study.name=NAME names the study"
EFFECTIVE = (
    "hydra/launcher",
    "hydra.launcher.",
    "hydra.verbose",
    "hydra.callbacks.",
)
"""Keys that have an effect, or what they begin with."""
COMPUTED = (
    "hydra.searchpath",
    "hydra.overrides",
    "hydra.runtime",
    "hydra.sweeper.params",
    "hydra.job.name",
    "hydra.job.override_dirname",
    "hydra.job.id",
    "hydra.job.num",
    "hydra.job.config_name",
)
"""Keys that Hydra sets itself, and the sweep of a preset."""
INSTEAD = {
    "hydra.run": _DIRECTORIES,
    "hydra.sweep": _DIRECTORIES,
    "hydra.job.chdir": _DIRECTORIES,
    "hydra.output_subdir": _DIRECTORIES,
    "hydra.output": _DIRECTORIES,
    "hydra/output": _DIRECTORIES,
    "hydra.sweeper": _SWEEP,
    "hydra/sweeper": _SWEEP,
    "hydra.mode": "a sweep is started by -m",
    "hydra.job_logging": _LOGS,
    "hydra/job_logging": _LOGS,
    "hydra.hydra_logging": _LOGS,
    "hydra/hydra_logging": _LOGS,
    "hydra.job.env_set": "variables are set before the command: NAME=VALUE retain …",
    "hydra.job.env_copy": "workers and jobs get the variables that the command has",
    "hydra/env": "variables are set before the command: NAME=VALUE retain …",
    "hydra.job": _JOB,
    "hydra.help": "the help is that of --help",
    "hydra/help": "the help is that of --help",
    "hydra.hydra_help": "the help is that of --help",
    "hydra/hydra_help": "the help is that of --help",
    "hydra.searchpath": "folders are added by -cd FOLDER",
    "hydra.runtime": "it is what Hydra found, and no setting",
    "hydra.overrides": "it is what was typed, and no setting",
    "hydra/callbacks": "callbacks are named by hydra.callbacks.NAME._target_=PACKAGE.CLASS",
    "hydra.launcher": "type hydra/launcher= with one of basic, ray, submitit_local, submitit_slurm",
}
"""The reason why a setting has no effect here, and what to type, by the beginning of its key."""


def is_hydra_key(key: str) -> bool:
    """Return whether a key is one of Hydra's own settings."""
    return key.split(".", maxsplit=1)[0].split("/", maxsplit=1)[0] == "hydra"


def check_hydra_key(text: str, key: str) -> None:
    """Raise for an override of a setting of Hydra that has no effect here.

    >>> check_hydra_key("hydra.mode=RUN", "hydra.mode")
    Traceback (most recent call last):
    retain.errors.RetainError: 'hydra.mode=RUN' has no effect here: a sweep is started by -m.
    """
    if not is_hydra_key(key) or key.startswith(EFFECTIVE):
        return
    fitting = (part for part in INSTEAD if key == part or key.startswith((f"{part}.", f"{part}/")))
    longest = max(fitting, key=len, default=None)
    reason = INSTEAD[longest] if longest else "expected hydra/launcher=NAME or hydra.verbose=true"
    raise RetainError(f"{text!r} has no effect here: {reason}.")


def check_hydra_node(
    found: Mapping[str, Any], shipped: Mapping[str, Any], where: str = "hydra"
) -> None:
    """Raise if a file sets what has no effect here.

    Parameters
    ----------
    found, shipped
        Hydra's node of a command line, and without files of the user.
    """
    for name, value in found.items():
        key, before = f"{where}.{name}", shipped.get(name)
        if key.startswith((*EFFECTIVE, *COMPUTED)) or value == before:
            continue
        if isinstance(value, Mapping) and isinstance(before, Mapping):
            check_hydra_node(value, before, key)
        else:
            check_hydra_key(f"{key}={value}", key)
