"""Composition: from overrides to the validated config of each run."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self, cast

import hydra
from hydra import compose, initialize_config_dir
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from retain.cli.config_files import check_config_files, find_primary, mentions_hydra
from retain.cli.environment_values import with_references
from retain.cli.hydra_settings import check_hydra_node
from retain.cli.override_names import unescape_names
from retain.cli.overrides import HYDRA_FLAGS, VERSION_BASE, Arguments, Groups, check_overrides
from retain.cli.sweep_axes import Axis, Plain, count_runs, expand_axes, first_values
from retain.cli.sweep_grid import Tree, baseline_runs, expand_grid
from retain.errors import RetainError, hydra_word
from retain.execution.plan import RunConfig
from retain.learning.search_ranges import identity_config
from retain.plugins.options import iter_options
from retain.schema.parsing import Config, Node, parse
from retain.schema.run import Run
from retain.storage.paths import conf_dir
from retain.storage.reading import read_text

WRONG_CONFIG = (
    HydraException,
    OmegaConfBaseException,
    YAMLError,
    OSError,
    ValueError,
    AttributeError,
    RecursionError,
)
"""Errors that Hydra and OmegaConf raise at invalid overrides and files, such as a file that holds
a number, options that choose themselves, ``hydra: null``; they call no code of ours."""


class _Sweeps(Config):
    """The sweep in a study's file."""

    params: dict[str, Plain] | None = None
    sweeps: tuple[dict[str, Plain], ...] = ()


MAX_QUOTED = 500
"""Maximum number of characters quoted from an error of Hydra."""


class Composer:
    """Composer of one command line's configs; a context manager, as Hydra has global state."""

    def __init__(self, line: Arguments, primary: str) -> None:
        self.line = line
        self.primary = primary
        check_config_files(line.config_dirs)
        self.folders = (conf_dir(), *line.config_dirs)
        self.groups = Groups.among(self.folders).with_plugins()
        self.own = find_primary(line.config_dirs, line.config_name, primary)
        self._composed: dict[tuple[str, ...], Tree] = {}
        self._shipped: Node | None = None

    def __enter__(self) -> Self:
        GlobalHydra.instance().clear()
        if any(map(mentions_hydra, self.line.config_dirs)):
            self._shipped = _compose_shipped(self.primary)
        home = conf_dir() if self.own is None else self.own.parent
        initialize_config_dir(config_dir=str(home), version_base=VERSION_BASE)
        _forget_launchers(self.groups)
        store_plugin_options()
        return self

    def __exit__(self, *_: object) -> None:
        GlobalHydra.instance().clear()

    def runs(self) -> list[RunConfig]:
        """Return every run of the line once, in order.

        Raises
        ------
        RetainError
            When a run's config is wrong, or there are several runs without ``-m``.
        """
        composed: dict[str, RunConfig] = {}
        self._check_files()
        for overrides, tree in self.trees():
            run = _run(overrides, tree)
            self._check_search(run)
            composed.setdefault(run.id, run)
        return list(composed.values())

    def _check_files(self) -> None:
        """Raise if a file of the user sets what Hydra does and retain does not."""
        if self._shipped is not None:
            typed = check_overrides(self.line.overrides, self.groups)
            check_hydra_node(self._compose(first_values(typed))["hydra"], self._shipped)

    def _check_search(self, composed: RunConfig) -> None:
        """Raise if an interval was typed and nothing searches it."""
        typed = next((text for text in self.line.overrides if "interval(" in text), None)
        if typed is not None and not composed.run.tuning.on:
            found = f"{typed!r} is a range to search, and nothing searches it"
            raise RetainError(f"{found}; add tuning=optuna.")

    def trees(self) -> Iterator[tuple[tuple[str, ...], Tree]]:
        """Yield overrides and unresolved tree of every run of a line, baselines last."""
        sweeps = self._sweeps()
        count = sum(math.prod(len(axis.texts) for axis in axes) for axes in sweeps)
        if count > 1 and not self.line.multirun:
            raise RetainError(f"this line asks for {count} runs; add -m to sweep them.")
        independent = not any(_chooses_by_reference(folder) for folder in self.folders)

        def expand(axes: Sequence[Axis]) -> Iterator[tuple[tuple[str, ...], Tree]]:
            return expand_grid(axes, self._compose, independent=independent)

        for axes in sweeps:
            yield from expand(axes)
        for axes in sweeps if self.line.multirun else ():
            yield from baseline_runs(axes, expand, self.groups.options["model"])

    def _sweeps(self) -> list[list[Axis]]:
        """Return the products of axes: the study's sweeps, narrowed by the overrides typed.

        Raises
        ------
        RetainError
            When they have more runs than ``max_runs``, before any is composed.
        """
        typed = check_overrides(self.line.overrides, self.groups)
        tree = self._compose(first_values(typed))
        params, parts = swept_by(tree)
        lists = [[f"{key}={value}" for key, value in {**params, **part}.items()] for part in parts]
        sweeps = [[*check_overrides(swept, self.groups), *typed] for swept in lists]
        check_count(sum(map(count_runs, sweeps)), tree)
        return [expand_axes(sweep) for sweep in sweeps]

    def one(self) -> Node:
        """Return the line's only tree, without Hydra's node."""
        typed = check_overrides(self.line.overrides, self.groups)
        if self.line.multirun or count_runs(typed) > 1:
            raise RetainError("this command does one thing at a time: no -m and no lists to sweep.")
        tree = dict(_without_hydra(self._compose(first_values(typed))))
        is_typed = any(text.lstrip("+").startswith("validation") for text in typed)
        if self.primary != "run" and not is_typed:
            tree.pop("validation", None)  # chosen by a source, for runs alone
        values = resolve(tree)
        with_references(tree, values, resolve)  # raises for values that a document would hold
        return values

    def _compose(self, overrides: Sequence[str]) -> Tree:
        """Return Hydra's unresolved tree of ``overrides``, Hydra's own node included."""
        key = tuple(overrides)
        if key not in self._composed:
            others = self.folders if self.own is not None else self.line.config_dirs
            listed = ",".join(hydra_word(f"file://{folder}") for folder in others)
            paths = [f"hydra.searchpath=[{listed}]"]
            extra = paths if others else []
            name = self.primary if self.own is None else self.own.stem
            try:
                config = compose(name, [*extra, *key], return_hydra_config=True)
            except WRONG_CONFIG as error:
                raise RetainError(f"the config cannot be composed: {_short_error(error)}") from None
            tree = unescape_names(OmegaConf.to_container(config, resolve=False, enum_to_str=True))
            self._composed[key] = cast("Tree", tree)
        return self._composed[key]


def store_plugin_options() -> None:
    """Have Hydra find the options of plug-ins."""
    for group, name, node in iter_options():
        ConfigStore.instance().store(name, node, group=group, provider="plugins")


def answer_hydra_flags(primary: str) -> None:
    """Let Hydra answer its own flags (--cfg, --info, --hydra-help …)."""
    store_plugin_options()

    @hydra.main(version_base=VERSION_BASE, config_path=str(conf_dir()), config_name=primary)
    def nothing(_: object) -> None:
        """Do nothing: Hydra answers these flags before it calls this."""

    nothing()


def _compose_shipped(primary: str) -> Node:
    """Return Hydra's node without any file of the user."""
    with initialize_config_dir(config_dir=str(conf_dir()), version_base=VERSION_BASE):
        shipped = compose(primary, return_hydra_config=True).hydra
    GlobalHydra.instance().clear()
    return cast("Node", OmegaConf.to_container(shipped))


def swept_by(tree: Tree) -> tuple[dict[str, Plain], tuple[dict[str, Plain], ...]]:
    """Return a study's common sweep lists, and those of each product."""
    sweeper, study = tree["hydra"].get("sweeper"), tree.get("study")
    if not isinstance(sweeper, Mapping):
        raise RetainError(f"hydra.sweeper is {sweeper!r}; expected params: {{KEY: 'ONE,OTHER'}}.")
    params = parse(_Sweeps, {"params": sweeper.get("params")}, "hydra.sweeper").params
    sweeps = study.get("sweeps", ()) if isinstance(study, Mapping) else ()
    return params or {}, parse(_Sweeps, {"sweeps": sweeps}, "study").sweeps or ({},)


def check_count(runs: int, tree: Tree) -> None:
    """Raise if a line has more runs than ``max_runs``."""
    most = tree.get("max_runs")
    if isinstance(most, int) and runs > most:
        raise RetainError(
            f"this line asks for {runs:,} runs, more than max_runs={most}; expected "
            f"fewer values to sweep, or max_runs={runs}."
        )


def _short_error(error: Exception) -> str:
    """Return the first lines of an error of Hydra in one line."""
    return " ".join(str(error).split())[:MAX_QUOTED] or type(error).__name__


def _forget_launchers(groups: Groups) -> None:
    """Drop plugins' launchers with names of ours: Hydra would validate our files by their types."""
    registered = ConfigStore.instance().repo.get("hydra", {}).get("launcher", {})
    for name in set(groups.options["hydra/launcher"]) - set(HYDRA_FLAGS["hydra/launcher"]):
        registered.pop(f"{name}.yaml", None)


def _run(overrides: Sequence[str], tree: Tree) -> RunConfig:
    """Return one run's config, checked key by key."""
    own = _without_hydra(tree)
    values = resolve(own)
    run = parse(Run, values)
    kept = identity_config(values, tuned=run.tuning.on)
    recorded = identified = identity_config(
        with_references(own, values, resolve), tuned=run.tuning.on
    )
    if run.threads != 1:
        single = {**own, "threads": 1}
        single = with_references(single, resolve(single), resolve)
        identified = identity_config(single, tuned=run.tuning.on)
    shown = tuple(text.lstrip("+") for text in overrides)
    return RunConfig(shown, kept, run, recorded, identified, tree["hydra"])


def _without_hydra(tree: Tree) -> Tree:
    return {key: node for key, node in tree.items() if key != "hydra"}


def _chooses_by_reference(folder: Path) -> bool:
    """Return whether any defaults list refers to another choice (``- /db: ${model}``)."""
    defaults = re.compile(r"^defaults:.*?^(?=\S)", re.MULTILINE | re.DOTALL)
    texts = (read_text(path) + "\n." for path in folder.rglob("*.yaml"))
    return any("${" in part for text in texts for part in defaults.findall(text))


def resolve(tree: Tree) -> Node:
    """Return the tree with every reference resolved; nodes without references are not copied."""
    special = dict(_leaves({k: node for k, node in tree.items() if _SPECIAL(json.dumps(node))}))
    is_item = re.compile(r"\.[0-9]+$").search  # a list may hold these signs, as cells do
    missing = sorted(path for path, leaf in special.items() if leaf == "???" and not is_item(path))
    if missing:
        hint = " ".join(f"{key}=VALUE" for key in missing)
        raise RetainError(f"the config lacks {', '.join(missing)}; add {hint}.")
    references = {path: leaf for path, leaf in special.items() if "${" in leaf}
    if not references:
        return dict(tree)
    named = {word for leaf in references.values() for word in re.findall(r"\w+", leaf)}
    named |= {path.split(".")[0] for path in references}
    part = {key: node for key, node in tree.items() if key in named}
    try:
        plain = OmegaConf.to_container(OmegaConf.create(part), resolve=True)
    except OmegaConfBaseException as error:
        hint = str(error).splitlines()[0]
        raise RetainError(f"the config cannot be resolved: {hint}.") from None
    return {**tree, **cast("Node", plain)}


_SPECIAL = re.compile(r"\$\{|\?\?\?").search


def _leaves(node: Any, where: str = "") -> Iterator[tuple[str, str]]:
    """Yield path and text of every leaf that is a reference or missing."""
    if isinstance(node, dict | list):
        inner = node.items() if isinstance(node, dict) else enumerate(node)
        for key, item in inner:
            yield from _leaves(item, f"{where}.{key}".lstrip("."))
    elif isinstance(node, str) and _SPECIAL(node):
        yield where, node
