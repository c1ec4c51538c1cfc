"""Configs as the YAML that Hydra writes, cached because they repeat.

A data contract of 300 lines is most of a config and the same in every run of a sweep; writing it
once saves more time than fitting a light model takes.
"""

from __future__ import annotations

import textwrap
from typing import Any

from omegaconf import OmegaConf


def to_yaml(tree: Any) -> str:
    """Return ``tree`` as YAML.

    >>> print(to_yaml({"model": {"C": "1e3"}, "hydra": {"job": {"num": 1}}}), end="")
    model:
      C: '1e3'
    hydra:
      job:
        num: 1
    """
    if not isinstance(tree, dict):
        return OmegaConf.to_yaml(tree if OmegaConf.is_config(tree) else OmegaConf.create(tree))
    return "".join(_key_to_yaml(key, node) for key, node in tree.items())


def _key_to_yaml(key: str, node: Any) -> str:
    """Return a key and its node as YAML; Hydra's node by its parts, most of which repeat."""
    if key == "hydra" and isinstance(node, dict) and node:
        return f"hydra:\n{textwrap.indent(to_yaml(node), '  ')}"
    content = repr((key, node))
    if content not in _CACHE:
        if len(_CACHE) >= 1024:
            _CACHE.clear()
        _CACHE[content] = OmegaConf.to_yaml(OmegaConf.create({key: node}))
    return _CACHE[content]


_CACHE: dict[str, str] = {}
"""YAML by the ``repr`` of a node, which is unambiguous for plain values."""
