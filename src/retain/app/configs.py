"""Composition: from overrides to the one config tree of a run, held against its types."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self, cast

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import MissingMandatoryValue, OmegaConfBaseException

from retain.app.command_line import VERSION_BASE, Groups, Line, checked, conf_dir, expand
from retain.errors import RetainError
from retain.record import identity
from retain.schema import Run, parse


@dataclass(frozen=True)
class Composed:
    """One run's config: as Hydra composed it, as plain values, and as types.

    ``identified`` is the part that can change a result, with threads set to 1 wherever a model
    refers to them; ``id`` is its hash.
    """

    overrides: tuple[str, ...]
    tree: dict[str, Any]
    run: Run
    identified: dict[str, Any]
    hydra: dict[str, Any]

    @property
    def id(self) -> str:
        """Eight hex digits that stand for everything that can change a result."""
        return identity(self.identified)

    @property
    def slug(self) -> str:
        """What people call the run: its parts, as far as they are not ``none``."""
        parts = [self.tree["model"]["name"]]
        optional = [self.tree[key]["name"] for key in ("sampler", "calibration")]
        parts += [name for name in optional if name != "none"]
        parts += [f"no_{name}" for name, on in self.run.features.toggles.items() if not on]
        return "-".join([*parts, *([] if self.run.features.derived else ["no_derived"])])[:80]


class Composer:
    """Composes configs of one command line. A context manager, since Hydra keeps global state."""

    def __init__(self, line: Line, primary: str) -> None:
        self.line = line
        self.primary = primary
        self.groups = Groups.among([conf_dir(), *line.config_dirs])

    def __enter__(self) -> Self:
        GlobalHydra.instance().clear()
        initialize_config_dir(config_dir=str(conf_dir()), version_base=VERSION_BASE)
        return self

    def __exit__(self, *_: object) -> None:
        GlobalHydra.instance().clear()

    def runs(self) -> list[Composed]:
        """Every run the line asks for, each once, in order.

        Raises
        ------
        RetainError
            When a run's config is wrong, or several runs are asked for without ``-m``.
        """
        typed = checked(self.line.overrides, self.groups)
        study = self._compose([text for text in typed if not expand([text]).several])
        params = study.hydra.sweeper.get("params") or {}
        swept = checked([f"{key}={value}" for key, value in params.items()], self.groups)
        sweep = expand([*swept, *typed])
        if sweep.several and not self.line.multirun:
            raise RetainError(f"this line asks for {len(sweep.runs)} runs; add -m to sweep them.")
        found: dict[str, Composed] = {}
        for overrides in sweep.runs:
            run = self.run(overrides)
            found.setdefault(run.id, run)
        return list(found.values())

    def one(self) -> dict[str, Any]:
        """The one tree the line asks for, with Hydra's own part left out."""
        typed = checked(self.line.overrides, self.groups)
        if expand(typed).several or self.line.multirun:
            raise RetainError("this command does one thing at a time: no -m and no lists to sweep.")
        config = self._compose(typed)
        del config["hydra"]
        return self.plain(config)

    def run(self, overrides: Sequence[str]) -> Composed:
        """One run's config, checked key by key."""
        config = self._compose(overrides)
        hydra = cast("dict[str, Any]", OmegaConf.to_container(config.hydra, resolve=False))
        del config["hydra"]
        tree = self.plain(config)
        run = parse(Run, tree)
        identified = tree
        if config.threads != 1:
            config.threads = 1
            identified = self.plain(config)
        shown = tuple(text.lstrip("+") for text in overrides)
        return Composed(shown, tree, run, identified, hydra)

    def plain(self, config: DictConfig) -> dict[str, Any]:
        """The tree with every reference resolved; what is still missing is asked for."""
        try:
            tree = OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
        except MissingMandatoryValue:
            missing = sorted(OmegaConf.missing_keys(config))
            told = " ".join(f"{key}=VALUE" for key in missing)
            raise RetainError(f"the config lacks {', '.join(missing)}; add {told}.") from None
        except OmegaConfBaseException as error:
            told = str(error).splitlines()[0]
            raise RetainError(f"the config cannot be resolved: {told}.") from None
        return cast("dict[str, Any]", tree)

    def _compose(self, overrides: Sequence[str]) -> DictConfig:
        paths = [f"hydra.searchpath=[{','.join(f'file://{d}' for d in self.line.config_dirs)}]"]
        extra = paths if self.line.config_dirs else []
        try:
            config = compose(self.primary, [*extra, *overrides], return_hydra_config=True)
        except (HydraException, OmegaConfBaseException) as error:
            raise RetainError(" ".join(str(error).split())) from None
        OmegaConf.set_struct(config, False)
        OmegaConf.set_readonly(config, False)
        return config
