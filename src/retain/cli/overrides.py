"""Flags and overrides of a command line; ``cli.sweep_axes`` expands the overrides.

Hydra gets every plain ``key=value`` as ``++key=value``, so that one check after composition
(``cli.compose``) covers keys with ``+`` and without, and names the nearest valid key. Hydra is
imported only to expand a line, which keeps ``--help`` fast.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from retain.cli.ci_report import CiReport, may_replace
from retain.cli.hydra_settings import check_hydra_key
from retain.cli.override_parser import parse_overrides
from retain.cli.override_patterns import expand
from retain.errors import RetainError, did_you_mean, hydra_word
from retain.plugins.options import iter_options
from retain.plugins.registry import broken_text
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
SWITCHES = (*HELP, *VERSION, *MULTIRUN, *QUIET, *JSON)
OTHER_PACKAGES = {
    "xgboost": "xgboost.XGBClassifier",
    "xgb": "xgboost.XGBClassifier",
    "ebm": "interpret.glassbox.ExplainableBoostingClassifier",
}
"""Classifiers of packages that are not among retain's, by the names that are typed for them."""
CONFIG_NAME = ("-cn", "--config-name")
SEARCHPATH = "hydra.searchpath="
IGNORED = ("-r", "--run")
"""Hydra's flag of one run, which is the default."""
ELSEWHERE = {
    "-cp": "a folder of yours is added by -cd FOLDER",
    "--config-path": "a folder of yours is added by -cd FOLDER",
    "-p": "it shows a part of --cfg job",
    "--package": "it shows a part of --cfg job",
    "--resolve": "it resolves what --cfg job shows",
    "--experimental-rerun": "the same line does what is missing; overrides.yaml of a run has them",
}
"""Flags of Hydra that have no effect here, and what has."""
VERSION_BASE = "1.3"
"""Hydra's ``version_base``; not needed from Hydra 1.4 on."""
HYDRA_FLAGS = {"hydra/launcher": ("basic",)}
"""Options shipped by Hydra, without a file."""
TO_HYDRA = ("-c", "--cfg", "-i", "--info", "--hydra-help", "-sc", "--shell-completion")
FOLDER_KEYS = {"verify": "dir", "clean": "dir", "dashboard": "outputs"}
"""The key that a plain word sets, in commands that have one, by primary config."""


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
    config_name: str = ""
    report: CiReport = field(default_factory=CiReport)

    @property
    def words(self) -> tuple[str, ...]:
        """The words to type for the same result, without flags of output."""
        folders = (("-cd", os.path.relpath(folder)) for folder in self.config_dirs)
        named = ("-cn", self.config_name) if self.config_name else ()
        return (*self.overrides, *(word for pair in folders for word in pair), *named)


def quote_ids(text: str) -> str:
    """Return an override with quoted ids, which may look like numbers.

    >>> quote_ids("diff=[12345678,12e45678]")
    "diff=['12345678','12e45678']"
    """
    key, equals, value = text.partition("=")
    return key + equals + re.sub(r"(?<![\w'\"/.-])([0-9a-f]{8})(?![\w'\"/.-])", r"'\1'", value)


def parse_args(arguments: Sequence[str], folder_key: str | None = None) -> Arguments:
    """Parse a command line; an unknown flag is an error.

    A plain word is a folder and sets ``folder_key``, in the commands that have one.

    >>> line = parse_args(["-m", "model=svc", "--quiet"])
    >>> line.overrides, line.multirun, line.quiet, line.json
    (('model=svc',), True, True, False)
    """
    overrides: list[str] = []
    files = _Files()
    rest = iter(arguments)
    for word in rest:
        name = word.partition("=")[0]
        if files.takes(word, rest) or word in IGNORED:
            continue
        if name in ELSEWHERE:
            raise RetainError(f"flag {name!r} has no effect here: {ELSEWHERE[name]}.")
        if not word.startswith("-"):
            overrides.append(_check_sets(word, folder_key))
        elif name in TO_HYDRA:
            return Arguments((), to_hydra=True)
        elif word not in SWITCHES:
            known = (*SWITCHES, *FILES, *CONFIG_DIR, *CONFIG_NAME, *TO_HYDRA)
            raise RetainError(f"flag {word!r} is unknown.{did_you_mean(word, known)}")
    if sum(word.startswith(f"{folder_key}=") for word in overrides) > 1:
        raise RetainError("two folders are named; expected one.")
    return Arguments(
        tuple(overrides),
        multirun=any(flag in arguments for flag in MULTIRUN),
        help=any(flag in arguments for flag in HELP),
        version=any(flag in arguments for flag in VERSION),
        quiet=any(flag in arguments for flag in QUIET),
        json=any(flag in arguments for flag in JSON),
        config_dirs=tuple(files.folders),
        config_name=files.config_name,
        report=files.report,
    )


def _check_sets(word: str, folder_key: str | None) -> str:
    if "=" in word or word.startswith("~"):
        return word
    if folder_key is None:
        raise RetainError(f"{word!r} sets nothing; expected key=value, for example model=svc.")
    return f"{folder_key}={hydra_word(word)}"


@dataclass
class _Files:
    """The files and folders that flags name."""

    folders: list[Path] = field(default_factory=list)
    config_name: str = ""
    report: CiReport = field(default_factory=CiReport)

    def takes(self, word: str, rest: Iterator[str]) -> bool:
        """Return whether a word names one, which is then taken, from ``rest`` if it follows."""
        name, attached, value = word.partition("=")
        if word.lstrip("+").startswith(SEARCHPATH):
            self.folders += _search_path(word)
        elif name not in (*CONFIG_DIR, *CONFIG_NAME, *FILES):
            return False
        else:
            self._take(name, value if attached else next(rest, ""))
        return True

    def _take(self, name: str, value: str) -> None:
        if name in CONFIG_DIR:
            self.folders.append(_folder(value))
        elif name in CONFIG_NAME:
            if not value:
                raise RetainError(f"{name} names no config; expected {name} NAME.")
            self.config_name = value.removesuffix(".yaml")
        elif name in JUNIT:
            self.report.junit = _file(name, value)
        else:
            self.report.markdown = _file(name, value)
        report = self.report
        if report.junit is not None and report.junit == report.markdown:
            raise RetainError(f"--junit and --markdown name one file, {value!r}; expected two.")


def find_report(arguments: Sequence[str]) -> CiReport:
    """Return the files for CI that a line names which cannot be parsed otherwise."""
    files, rest = _Files(), iter(arguments)
    for word in rest:
        if word.partition("=")[0] in FILES:
            with suppress(RetainError):
                files.takes(word, rest)
    return files.report


def _search_path(word: str) -> list[Path]:
    """Return the folders of ``hydra.searchpath=[file://FOLDER,…]``."""
    listed = word.partition("=")[2].strip("[]").split(",")
    entries = [entry.strip(" '\"") for entry in listed if entry.strip()]
    if other := [one for one in entries if "://" in one and not one.startswith("file://")]:
        expected = "expected folders, [file://FOLDER], as -cd FOLDER adds them"
        raise RetainError.at("hydra.searchpath", f"it holds {other[0]!r}", expected)
    return [_folder(one.removeprefix("file://")) for one in entries]


def _file(flag: str, typed: str) -> Path:
    """Return the file that a flag names: a new one, or one that the flag wrote before."""
    if not typed or typed.startswith("-"):
        raise RetainError(f"{flag} names no file; expected {flag} FILE.")
    path = parse_path(flag, typed)
    if not may_replace(path):
        found = f"{path} is there, and was not written by {flag} or its like"
        raise RetainError(f"{found}; expected a new file: {flag} FILE.")
    return path


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

    def with_plugins(self) -> Groups:
        """Return the groups with the options that plug-ins add."""
        options = dict(self.options)
        for group, name, _ in iter_options():
            options[group] = tuple(sorted({*options[group], name}))
        return Groups(options)


def check_overrides(overrides: Sequence[str], groups: Groups) -> list[str]:
    """Check overrides and return them for Hydra."""
    parsed = parse_overrides(overrides)
    expanded = [word for text, one in parsed for word in expand(text, one, groups.options)]
    return [_force_add(text, parsed, groups) for text, parsed in parse_overrides(expanded)]


def _force_add(text: str, override: Override, groups: Groups) -> str:
    from retain.cli.sweep_axes import count_values

    key = override.key_or_group
    check_hydra_key(text, key)
    if key.startswith("hydra") and override.is_sweep_override():
        raise RetainError(f"{text!r} sweeps a setting of Hydra; expected one value for all runs.")
    count_values(override)
    if key in groups.options:
        for value in _options(override):
            if value not in groups.options[key]:
                raise _unknown_option(key, value, groups.options[key])
        shipped = (conf_dir() / key).is_dir()  # in the defaults, so nothing is added
        return text.lstrip("+") if shipped and override.package is None else text
    if key.startswith(("hydra.launcher.", "hydra.callbacks.")) and not override.is_delete():
        return f"++{text.lstrip('+')}"
    if key.startswith("hydra") or override.is_delete() or override.is_force_add():
        return text
    return f"+{text}" if override.is_add() else f"++{text}"


def _unknown_option(group: str, name: str, options: Sequence[str]) -> RetainError:
    """Return the error of an option that is not there, and how to add one of a known package."""
    target = OTHER_PACKAGES.get(name.lower()) if group == "model" else None
    if target is None:
        return RetainError(f"{RetainError.unknown(group, name, options)}{broken_text()}")
    package = target.partition(".")[0]
    return RetainError(
        f"model {name!r} is of another package. Type pip install {package}; write the lines "
        f"'name: {name}' and '_target_: {target}' into mine/model/{name}.yaml; and type "
        f"RETAIN_TRUST={package} retain -cd mine model={name}"
    )


def _options(override: Override) -> list[str]:
    """Return the options of a group that an override chooses."""
    if override.is_delete():
        return []
    if override.is_choice_sweep():
        return [text.strip("'\"") for text in override.sweep_string_iterator()]
    value = override.value()
    named = isinstance(value, str | int | float | bool | list | dict)
    return [str(value) if named else (override.input_line or "").partition("=")[2]]
