"""The settings in which runs differ, as tables show them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from retain.verdict.candidates import SEED_KEYS
from retain.verdict.config_keys import differing_keys


def find_settings(configs: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Return the keys in which configs differ, without the components' seeds that follow the run's.

    >>> svc = {"name": "svc", "random_state": 1}
    >>> find_settings([{"model": svc, "seed": 1}, {"model": {**svc, "random_state": 2}, "seed": 2}])
    {'seed': [1, 2]}
    """
    seeds = [config.get("seed") for config in configs]
    return {
        key: values
        for key, values in differing_keys(configs).items()
        if not _follows(key, values, seeds)
    }


def _follows(key: str, values: Sequence[Any], seeds: Sequence[Any]) -> bool:
    """Return whether a key is a component's seed, and always that of the run."""
    is_seed = key.rpartition(".")[2] in SEED_KEYS
    return is_seed and all(own in (None, seed) for own, seed in zip(values, seeds, strict=True))
