"""Config files of the user's own, bounded before Hydra reads them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path

import yaml

from retain.errors import RetainError
from retain.storage.reading import read_text

MOST_BYTES = 200_000
MOST_NODES = 20_000
"""Keys and values of a file, with what its anchors repeat written out; Hydra takes a second."""
MOST_LEVELS = 40
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def check_config_files(folders: Iterable[Path]) -> None:
    """Raise at the first YAML file in ``folders`` that Hydra should not be given.

    Raises
    ------
    RetainError
        If it is no regular file, too large or too deep, no UTF-8 or no YAML.
    """
    for folder in folders:
        for path in sorted(folder.rglob("*.yaml")):
            _check_file(path)


def _check_file(path: Path) -> None:
    text = read_text(path, max_bytes=MOST_BYTES)
    try:
        _check_levels(path, text)
        root = yaml.compose(text, Loader=_LOADER)
    except yaml.YAMLError as error:
        message = " ".join(str(error).split())
        raise RetainError(f"{path} cannot be read as YAML: {message}.") from None
    if root is not None and not isinstance(root, yaml.MappingNode):
        found = "a list" if isinstance(root, yaml.SequenceNode) else "one value"
        raise RetainError(f"{path} holds {found}; expected keys and values.")
    if root is not None and _count_nodes(root, {}) > MOST_NODES:
        raise RetainError(f"{path} holds more than {MOST_NODES:,} keys and values.")


def _check_levels(path: Path, text: str) -> None:
    level = 0
    for event in yaml.parse(text, Loader=_LOADER):
        level += isinstance(event, yaml.CollectionStartEvent)
        level -= isinstance(event, yaml.CollectionEndEvent)
        if level > MOST_LEVELS:
            raise RetainError(f"{path} is nested more than {MOST_LEVELS} levels deep.")


def _count_nodes(node: yaml.Node, known: dict[int, float]) -> float:
    """Return the number of nodes with every alias written out; infinite for a cycle."""
    if id(node) not in known:
        known[id(node)] = math.inf  # what is met again within itself has no end
        below: Iterable[yaml.Node] = ()
        if isinstance(node, yaml.SequenceNode):
            below = node.value
        elif isinstance(node, yaml.MappingNode):
            below = (one for pair in node.value for one in pair)
        known[id(node)] = 1 + sum(_count_nodes(one, known) for one in below)
    return known[id(node)]
