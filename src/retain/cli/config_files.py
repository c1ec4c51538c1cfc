"""Checks of the user's config files before Hydra reads them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path

import yaml

from retain.errors import RetainError
from retain.storage.reading import read_text

MOST_BYTES = 200_000
MOST_NODES = 20_000
"""Maximum number of keys and values with aliases expanded, about a second for Hydra."""
MOST_LEVELS = 40
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def check_config_files(folders: Iterable[Path]) -> None:
    """Raise at the first invalid YAML file in ``folders``.

    Raises
    ------
    RetainError
        If it is not a regular file, too large, too deep, not UTF-8 or not YAML.
    """
    for folder in folders:
        for path in sorted(folder.rglob("*.yaml")):
            _check_file(path)


def find_primary(folders: Iterable[Path], name: str, primary: str) -> Path | None:
    """Return the primary config of a user by its name, None for the shipped one.

    Raises
    ------
    RetainError
        No folder has it.
    """
    if name in ("", primary):
        return None
    for folder in folders:
        if (path := folder / f"{name}.yaml").is_file():
            return path
    found = f"it is {name!r}, and no folder of -cd has {name}.yaml"
    expected = f"expected -cd FOLDER, and in it defaults: [{primary}, _self_]"
    raise RetainError.at("--config-name", found, expected)


def mentions_hydra(folder: Path) -> bool:
    """Return whether a file of a folder may set something of Hydra itself."""
    return any("hydra" in read_text(path) for path in folder.rglob("*.yaml"))


def _check_file(path: Path) -> None:
    text = read_text(path, max_bytes=MOST_BYTES)
    try:
        _check_levels(path, text)
        root = yaml.compose(text, Loader=_LOADER)
    except yaml.YAMLError as error:
        message = " ".join(str(error).split())
        raise RetainError(f"{path} cannot be read as YAML: {message}.") from None
    if root is not None and not isinstance(root, yaml.MappingNode):
        kind = "a list" if isinstance(root, yaml.SequenceNode) else "one value"
        raise RetainError(f"{path} holds {kind}; expected keys and values.")
    if root is not None and _count_nodes(root, {}) > MOST_NODES:
        raise RetainError(f"{path} holds more than {MOST_NODES:,} keys and values.")


def _check_levels(path: Path, text: str) -> None:
    level = 0
    for event in yaml.parse(text, Loader=_LOADER):
        level += isinstance(event, yaml.CollectionStartEvent)
        level -= isinstance(event, yaml.CollectionEndEvent)
        if level > MOST_LEVELS:
            raise RetainError(f"{path} is nested more than {MOST_LEVELS} levels deep.")


def _count_nodes(node: yaml.Node, sizes: dict[int, float]) -> float:
    """Return the number of nodes with every alias expanded; infinite for a cycle."""
    if id(node) not in sizes:
        sizes[id(node)] = math.inf  # a cycle
        below: Iterable[yaml.Node] = ()
        if isinstance(node, yaml.SequenceNode):
            below = node.value
        elif isinstance(node, yaml.MappingNode):
            below = (one for pair in node.value for one in pair)
        sizes[id(node)] = 1 + sum(_count_nodes(one, sizes) for one in below)
    return sizes[id(node)]
