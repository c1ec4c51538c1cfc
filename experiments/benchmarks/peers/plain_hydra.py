"""Writes the ROC-AUCs of one run into its output folder: Hydra as its tutorial teaches it.

    python plain_hydra.py -m data=DATA folds=FOLDS model=logreg,tree sampler=none,smote

Each job reads the data, and each model takes the threads its library takes by default.
"""

from __future__ import annotations

import json
from pathlib import Path

import evaluation
import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.utils import instantiate
from omegaconf import DictConfig


@hydra.main(version_base="1.3", config_path="conf", config_name="config")
def main(config: DictConfig) -> None:
    """Read, fit, write."""
    table, target, fold = evaluation.read(config.data, config.folds)
    model, sampler = instantiate(config.model), instantiate(config.sampler.use)
    values = evaluation.roc_aucs(
        model, sampler, table.drop(columns=list(config.features.without)), target, fold
    )
    runtime = HydraConfig.get().runtime
    name = " ".join(runtime.choices[group] for group in ("model", "sampler", "features"))
    out = Path(runtime.output_dir, "roc_auc.json")
    out.write_text(json.dumps({name: values}), encoding="utf-8")


if __name__ == "__main__":
    main()
