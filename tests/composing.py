"""Hydra reads, chooses and merges the config files of the package once, not for each test.

Most of what a test of a command takes would otherwise be composing the same files again.
"""

from __future__ import annotations

import copy
import dataclasses
import functools
import pickle
from collections.abc import Callable
from typing import Any

from hydra._internal import config_loader_impl
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.defaults_list import DefaultsList
from hydra._internal.sources_registry import SourcesRegistry
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.core.plugins import Plugins
from hydra.plugins.config_source import ConfigSource
from omegaconf import DictConfig

from retain.plugins import registry
from retain.storage.paths import conf_dir

PACKAGES = {"file": f"{conf_dir()}/", "pkg": "hydra.conf/", "structured": "/"}
"""Where files lie that no test changes, by the scheme of their source."""


def compose_once() -> None:
    """Have Hydra remember what it made of the files of the package."""
    parse: Any = parse_once(OverridesParser.parse_rule)
    OverridesParser.parse_rule = parse  # type: ignore[method-assign]
    Plugins.instance()  # Hydra runs the modules of its sources again when it looks for plugins
    for scheme in ("file", "pkg"):
        read_once(SourcesRegistry.instance().types[scheme])
    vars(config_loader_impl)["create_defaults_list"] = choose_once(
        config_loader_impl.create_defaults_list
    )
    merge: Any = merge_once(ConfigLoaderImpl._compose_config_from_defaults_list)
    ConfigLoaderImpl._compose_config_from_defaults_list = merge  # type: ignore[method-assign]


def is_of_package(source: ConfigSource) -> bool:
    return f"{source.path}/".startswith(PACKAGES.get(source.scheme(), "none"))


def places_of(repo: Any) -> tuple[tuple[str, str], ...] | None:
    """The sources of a repository, None if one may change."""
    sources = repo.get_sources()
    if registry._REGISTERED:  # options of plug-ins come and go
        return None
    if not all(map(is_of_package, sources)):
        return None
    return tuple((source.scheme(), source.path) for source in sources)


def parse_once(parse: Callable[..., Any]) -> Callable[..., Any]:
    """Remember what Hydra reads in a word; what it adds to an override, it adds to a copy."""
    parsed: dict[tuple[str, str], Any] = {}

    def parse_rule(self: OverridesParser, text: str, rule: str) -> Any:
        if (text, rule) not in parsed:
            parsed[text, rule] = parse(self, text, rule)
        return copy.copy(parsed[text, rule])

    return parse_rule


def read_once(source: type[ConfigSource]) -> None:
    """Have Hydra parse a config file of a package once; it would for every composition."""
    read = source.load_config

    @functools.cache
    def load_pickled(path: str, provider: str, folder: str) -> bytes:
        return pickle.dumps(read(source(provider, folder), path))

    def load(self: Any, config_path: str) -> Any:
        if not is_of_package(self):
            return read(self, config_path)
        folder = f"{source.scheme()}://{self.path}"
        return pickle.loads(load_pickled(config_path, self.provider, folder))  # noqa: S301 - ours; faster than a deep copy

    source.load_config = load  # type: ignore[method-assign]


def choose_once(choose: Callable[..., DefaultsList]) -> Callable[..., DefaultsList]:
    """Remember which files are merged; values that are typed do not change it."""
    chosen: dict[Any, DefaultsList] = {}

    def create(repo: Any, config_name: str, overrides_list: list[Override], **how: bool) -> Any:
        if (places := places_of(repo)) is None:
            return choose(repo, config_name, overrides_list, **how)
        values = [one for one in overrides_list if is_value(repo, one)]
        options = [one.input_line for one in overrides_list if one not in values]
        key = (config_name, places, *options, *how.items())
        if key not in chosen:
            chosen[key] = choose(repo, config_name, overrides_list, **how)
        typed = [one for one in values if not one.is_sweep_override()]
        return dataclasses.replace(chosen[key], config_overrides=typed)

    return create


def is_value(repo: Any, override: Override) -> bool:
    """Whether an override gives a value, and chooses no file."""
    if override.is_sweep_override() or isinstance(override.value(), dict):
        return True
    return not repo.group_exists(override.key_or_group)


def merge_once(merge: Callable[..., DictConfig]) -> Callable[..., DictConfig]:
    """Remember what files come to together, before values that are typed."""
    merged: dict[Any, bytes] = {}

    def compose(self: ConfigLoaderImpl, defaults: list[Any], repo: Any) -> DictConfig:
        if (places := places_of(repo)) is None:
            return merge(self, defaults, repo)
        key = (places, *map(dataclasses.astuple, defaults))
        if key not in merged:
            merged[key] = pickle.dumps(merge(self, defaults, repo))
        config: DictConfig = pickle.loads(merged[key])  # noqa: S301 - ours
        return config

    return compose
