"""What made the numbers: interpreter, packages, the package's own sources, the commit."""

from __future__ import annotations

import platform
import subprocess
from functools import cache
from importlib import metadata
from pathlib import Path

from retain.record import Environment, Git
from retain.storage.hashing import hash_folder

PACKAGES = (
    "numpy",
    "scipy",
    "pandas",
    "scikit-learn",
    "imbalanced-learn",
    "lightgbm",
    "catboost",
)
"""Packages whose version can change a score."""


@cache
def environment(*, tuned: bool = False) -> Environment:
    """The environment of this process; Optuna is in it for runs that are ``tuned``."""
    packages = (*PACKAGES, "optuna") if tuned else PACKAGES
    return Environment(
        python=platform.python_version(),
        platform=platform.platform(terse=True),
        packages={name: metadata.version(name) for name in packages},
        code=_code(),
    )


def _code() -> str:
    """Return a hash of every file of the package.

    Configs are left out: they are no part of it in a checkout, and a record holds its own whole.
    """
    return hash_folder(Path(__file__).resolve().parents[1], without=("conf",))


@cache
def git() -> Git:
    """The commit of the working directory, and whether it was changed since."""
    commit = _git("rev-parse", "HEAD")
    return Git(commit=commit or None, dirty=bool(commit and _git("status", "--porcelain")))


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - fixed words, no shell
            ["git", "-c", "core.fsmonitor=false", *arguments],  # noqa: S607 - whichever git the user has
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
