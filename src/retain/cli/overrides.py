"""Flags and overrides of a command line; ``cli.sweep_axes`` expands the overrides.

Hydra gets every plain ``key=value`` as ``++key=value``, so that one check after composition
(``cli.compose``) covers keys with ``+`` and without, and names the nearest valid key. Hydra is
imported only to expand a line, which keeps ``--help`` fast.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from retain.cli.ci_report import CiReport
from retain.cli.override_parser import parse_overrides
from retain.errors import RetainError, did_you_mean
from retain.storage.paths import conf_dir, parse_path

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override


HELP = ("-h", "--help")
VERSION = ("--version",)
MULTIRUN = ("-m", "--multirun")
CONFIG_DIR = ("-cd", "--config-dir")
QUIET = ("-q", "--quiet")
JSON = ("--json",)
JUNIT = ("--junit",)
MARKDOWN = ("--markdown",)
FILES = (*JUNIT, *MARKDOWN)
VERSION_BASE = "1.3"
"""Hydra's ``version_base``; not needed from Hydra 1.4 on."""
HYDRA_OPTIONS = ("hydra/launcher", "hydra.launcher.")
HYDRA_FLAGS = {"hydra/launcher": ("basic",)}
"""Options shipped by Hydra, without a file."""
TO_HYDRA = ("-c", "--cfg", "-i", "--info", "--hydra-help", "-sc", "--shell-completion")


@dataclass(frozen=True)
class Arguments:
    """The parsed command line."""

    overrides: tuple[str, ...]
    multirun: bool = False
    help: bool = False
    version: bool = False
    quiet: bool = False
    json: bool = False
    to_hydra: bool = False
    config_dirs: tuple[Path, ...] = ()
    report: CiReport = field(default_factory=CiReport)

    @property
    def words(self) -> tuple[str, ...]:
        """The words to type for the same result, without flags of output."""
        folders = (("-cd", os.path.relpath(folder)) for folder in self.config_dirs)
        return (*self.overrides, *(word for pair in folders for word in pair))


def quote_ids(text: str) -> str:
    """Return an override with quoted ids, which may look like numbers.

    >>> quote_ids("diff=[12345678,12e45678]")
    "diff=['12345678','12e45678']"
    """
    key, equals, value = text.partition("=")
    return key + equals + re.sub(r"(?<![\w'\"/.-])([0-9a-f]{8})(?![\w'\"/.-])", r"'\1'", value)


def parse_args(arguments: Sequence[str]) -> Arguments:
    """Parse a command line; an unknown flag is an error.

    >>> line = parse_args(["-m", "model=svc", "--quiet"])
    >>> line.overrides, line.multirun, line.quiet, line.json
    (('model=svc',), True, True, False)
    """
    overrides: list[str] = []
    folders: list[Path] = []
    report = CiReport()
    rest = iter(arguments)
    for word in rest:
        if word in CONFIG_DIR:
            folders.append(_folder(next(rest, "")))
        elif word in JUNIT:
            report.junit = _file(word, next(rest, ""))
        elif word in MARKDOWN:
            report.markdown = _file(word, next(rest, ""))
        elif not word.startswith("-") and "=" not in word and not word.startswith("~"):
            raise RetainError(f"{word!r} sets nothing; expected key=value, for example model=svc.")
        elif not word.startswith("-"):
            overrides.append(word)
        elif word.split("=")[0] in TO_HYDRA:
            return Arguments((), to_hydra=True)
        elif word not in (*HELP, *VERSION, *MULTIRUN, *QUIET, *JSON):
            all_flags = (*HELP, *VERSION, *MULTIRUN, *QUIET, *JSON, *FILES, *CONFIG_DIR, *TO_HYDRA)
            raise RetainError(f"flag {word!r} is unknown.{did_you_mean(word, all_flags)}")
    return Arguments(
        tuple(overrides),
        multirun=any(flag in arguments for flag in MULTIRUN),
        help=any(flag in arguments for flag in HELP),
        version=any(flag in arguments for flag in VERSION),
        quiet=any(flag in arguments for flag in QUIET),
        json=any(flag in arguments for flag in JSON),
        config_dirs=tuple(folders),
        report=report,
    )


def _file(flag: str, typed: str) -> Path:
    """Return the file that a flag names."""
    if not typed or typed.startswith("-"):
        raise RetainError(f"{flag} names no file; expected {flag} FILE.")
    return parse_path(flag, typed)


def _folder(typed: str) -> Path:
    path = parse_path("--config-dir", typed).resolve()
    if not typed or not path.is_dir():
        raise RetainError(f"--config-dir {typed!r} is not a folder.")
    return path


@dataclass(frozen=True)
class Groups:
    """The config groups and their options, as folders and files."""

    options: Mapping[str, tuple[str, ...]]

    @classmethod
    def among(cls, folders: Sequence[Path]) -> Groups:
        """Return the groups of the shipped configs and of the user's folders."""
        options = {group: set(names) for group, names in HYDRA_FLAGS.items()}
        for folder in folders:
            for path in folder.rglob("*.yaml"):
                if path.parent != folder:
                    group = path.parent.relative_to(folder).as_posix()
                    options.setdefault(group, set()).add(path.stem)
        return cls({group: tuple(sorted(names)) for group, names in sorted(options.items())})


def check_overrides(overrides: Sequence[str], groups: Groups) -> list[str]:
    """Check overrides and return them for Hydra."""
    return [_force_add(text, parsed, groups) for text, parsed in parse_overrides(overrides)]


def _force_add(text: str, override: Override, groups: Groups) -> str:
    from retain.cli.sweep_axes import count_values

    key = override.key_or_group
    if key.split(".")[0].split("/")[0] == "hydra" and not key.startswith(HYDRA_OPTIONS):
        raise RetainError(
            f"{text!r} is a setting of Hydra itself, which has no effect here; expected "
            "hydra/launcher=NAME or hydra.launcher.KEY=VALUE. Values are swept by key=ONE,OTHER, "
            "folders set by outputs=FOLDER and --config-dir FOLDER."
        )
    if key.startswith("hydra") and override.is_sweep_override():
        raise RetainError(f"{text!r} sweeps a setting of Hydra; expected one value for all runs.")
    count_values(override)
    if key in groups.options:
        for value in _options(override):
            if value not in groups.options[key]:
                raise RetainError.unknown(key, value, groups.options[key])
        shipped = (conf_dir() / key).is_dir()  # in the defaults, so nothing is added
        return text.lstrip("+") if shipped else text
    if key.startswith("hydra.launcher.") and not override.is_delete():
        return f"++{text.lstrip('+')}"
    if key.startswith("hydra") or override.is_delete() or override.is_force_add():
        return text
    return f"+{text}" if override.is_add() else f"++{text}"


def _options(override: Override) -> list[str]:
    """Return the options of a group that an override chooses."""
    if override.is_delete():
        return []
    if override.is_choice_sweep():
        return [text.strip("'\"") for text in override.sweep_string_iterator()]
    value = override.value()
    named = isinstance(value, str | int | float | bool | list | dict)
    return [str(value) if named else (override.input_line or "").partition("=")[2]]
