"""Readers of what users have and type: tables, logs, outcomes, options and command lines."""

from __future__ import annotations

import bz2
import gzip
import io
import itertools
import zipfile
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import yaml
from ground import Ground, Read, Reader
from mutations import (
    mutate_json,
    mutate_text,
    mutate_tree,
    write_hostile_parquet,
)

from retain.campaign.assignment import read_assignment
from retain.campaign.audience import Audience
from retain.campaign.offers.catalogue import check_catalogue
from retain.campaign.offers.catalogue import fit_catalogue as settled_catalogue
from retain.campaign.offers.offers import evaluate_offers
from retain.campaign.readout.outcomes import read_outcomes
from retain.campaign.segmentation.segments import fit_segmentation, segment_labels, segments_of
from retain.cli.campaign_settings import compose_compare
from retain.cli.compose import Composer
from retain.cli.config_files import check_config_files
from retain.cli.overrides import Arguments, Groups, check_overrides
from retain.cli.overrides import parse_args as read_line
from retain.cli.sweep_axes import count_runs, expand_axes
from retain.customers import demo, table
from retain.customers.contract import reader
from retain.customers.customers import Column
from retain.customers.purchases import source
from retain.schema.campaign import Assumptions, Catalogue, Segmentation
from retain.schema.parsing import parse
from retain.schema.readout import OutcomesFile
from retain.storage.paths import conf_dir
from retain.storage.reading import check_tree

COMPOSED = 0.02
"""Share of the inputs that are composed by Hydra, which takes a hundred times as long."""


def made_table(rows: int = 60) -> pd.DataFrame:
    """Return customers with a column of each kind."""
    random = np.random.default_rng(5)
    return pd.DataFrame(
        {
            "customer_id": np.arange(1000, 1000 + rows),
            "Visits": random.poisson(4, rows),
            "spent": random.gamma(2.0, 9.0, rows).round(2),
            "Город": random.choice(["Тверь", "Омск", ""], rows),
            "since": pd.Timestamp("2024-01-31")
            + pd.to_timedelta(random.integers(0, 300, rows), "D"),
            "agreed": random.choice(["yes", "no"], rows),
            "profit": random.normal(10, 4, rows).round(1),
            "churn": random.choice(["Yes", "No"], rows),
        }
    )


def _csv(frame: pd.DataFrame, chance: Random) -> str:
    sep, decimal = chance.choice(((",", "."), (";", ","), ("\t", ".")))
    return frame.to_csv(index=False, sep=sep, decimal=decimal)


def _write_table(chance: Random, frame: pd.DataFrame, folder: Path) -> str:
    """Write a hostile CSV or Parquet file and return its path."""
    if chance.random() < 0.4:
        path = folder / "in.parquet"
        write_hostile_parquet(chance, pa.Table.from_pandas(frame, preserve_index=False), path)
    else:
        path = folder / "in.csv"
        data = mutate_text(chance, _csv(frame, chance))
        if chance.random() < 0.2:
            lines = frame.to_json(
                orient="records", lines=True, date_format="iso", force_ascii=False
            )
            data = mutate_text(chance, lines)
        path.write_bytes(_pack(chance, data))
    return str(path)


def _pack(chance: Random, data: bytes) -> bytes:
    """Return the content of a file, in some cases packed, and then cut in some cases."""
    if chance.random() < 0.7:
        return data
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("in.csv", data)
    packed = chance.choice((gzip.compress(data), bz2.compress(data), stream.getvalue()))
    return packed if chance.random() < 0.5 else packed[: chance.randrange(1, len(packed))]


def vary_table(ground: Ground) -> Reader:
    """Read tables as ``data=table`` does."""
    frame = made_table()
    options = {
        "target": "churn",
        "id": "customer_id",
        "profit": "profit",
        "profit_unit": "euro",
        "consent": "agreed",
        "keep_columns": ["spent"],
        "categorical_columns": ["Visits"],
        "known_kinds": {"visits": "number", "since": "number"},
        "drop_columns": ["since"],
        "missing_values": ["unknown", -1],
        "bad_rows": "drop",
        "bad_rows_share": 0.5,
        "totals_rows": "drop",
        "header_line": 1,
        "encoding": "cp1251",
        "decimal": ",",
        "thousands": ".",
        "number_format": {"spent": "1 234,56"},
        "date_format": {"since": "%d/%m/%Y"},
    }

    def vary(chance: Random) -> Read:
        path = _write_table(chance, frame, ground.folder)
        keys = {key: one for key, one in options.items() if chance.random() < 0.5}
        if "profit" in keys:
            keys["profit_unit"] = "euro"
        return lambda: table.read(path=path, **keys)

    return vary


def vary_contract(ground: Ground) -> Reader:
    """Read the files of the demo store under their contract."""
    whole = ground.folder / "whole"
    demo.write(whole, customers=60)
    raws = {path.name: path.read_bytes() for path in whole.iterdir()}
    node = yaml.safe_load((conf_dir() / "data/contract/one_click.yaml").read_text("utf-8"))
    cleaning = yaml.safe_load((conf_dir() / "data/demo.yaml").read_text("utf-8")).get("cleaning")
    keys = {"cleaning": cleaning, **node}
    keys = {key: keys.get(key) for key in ("tables", "profit_unit", "cleaning", "derived")}

    def vary(chance: Random) -> Read:
        for name, raw in raws.items():
            (ground.folder / name).write_bytes(raw)
        given = {**keys, "dir": str(ground.folder), "has_target": chance.random() < 0.7}
        if chance.random() < 0.5:
            name = chance.choice(sorted(raws))
            (ground.folder / name).write_bytes(mutate_text(chance, raws[name].decode()))
        else:
            part = chance.choice(("tables", "tables", "cleaning", "derived"))
            given[part] = mutate_tree(chance, given[part])
        return lambda: reader.read(**given)

    return vary


def vary_log(ground: Ground) -> Reader:
    """Read purchase logs, and build the table of their customers."""
    random, rows = np.random.default_rng(6), 150
    frame = pd.DataFrame(
        {
            "who": random.integers(1, 12, rows),
            "when": pd.Timestamp("2023-01-01")
            + pd.to_timedelta(random.integers(0, 420 * 24, rows), "h"),
            "sum": random.gamma(2, 20, rows).round(2),
            "pieces": random.integers(1, 4, rows),
            "kind": random.choice(["tea", "чай", ""], rows),
            "sale": random.choice(["yes", "no"], rows),
        }
    )
    tree = yaml.safe_load((conf_dir() / "data/purchases.yaml").read_text("utf-8"))
    keys = {
        key: one
        for key, one in tree.items()
        if key not in ("name", "_target_", "baselines", "defaults")
    }
    keys |= {"profit_unit": "euro", "cache": None, "memory_limit": "400MB", "windows": [30]}
    named = ("customer", "time", "amount", "items", "category", "discount")
    keys["columns"] = dict(zip(named, frame.columns, strict=True))
    keys["label"] |= {"horizon": 30, "lookback": 60, "regularity": {"periods": 2, "days": 60}}
    keys["snapshots"] |= {"n": 2}

    def vary(chance: Random) -> Read:
        given = {**keys, "path": _write_table(chance, frame, ground.folder)}
        if chance.random() < 0.3:
            part = chance.choice(("columns", "format", "policy", "label", "snapshots", "windows"))
            given[part] = mutate_tree(chance, given[part])
            given["columns"] = given["columns"] or {}

        def read() -> object:
            for key, node in given.items():  # as the config of a run, or a record, is checked
                check_tree(node, f"data.{key}")
            return source.read(**given)

        return read

    return vary


def vary_outcomes(ground: Ground) -> Reader:
    """Read what became of the customers of the study's campaign."""
    (id_,) = ground.study.campaign_ids
    assignment = read_assignment(ground.study.campaign(id_).path)
    random, ids = np.random.default_rng(7), assignment.table["customer_id"]
    frame = pd.DataFrame(
        {
            "customer_id": ids.astype("int64"),
            "declined": random.choice(["yes", "no", ""], len(ids)),
            "profit": random.normal(9, 3, len(ids)).round(2),
            "contacted": random.choice([1, 0], len(ids)),
            "cost": random.choice([0.0, 1.5], len(ids)),
        }
    )

    def vary(chance: Random) -> Read:
        path = _write_table(chance, frame, ground.folder)
        asked = {
            "id": "customer_id",
            "unknown_customers": chance.choice(("error", "drop")),
            "min_known_share": 0.3,
        }
        if chance.random() < 0.2:
            asked["positive"] = chance.choice(("yes", "1", 1, True, "\x1b"))
        whole = dict.fromkeys(OutcomesFile.model_fields) | asked | {"file": path}
        return lambda: read_outcomes(parse(OutcomesFile, whole), assignment)

    return vary


def _audience() -> Audience:
    """Return made-up customers with scores and profit."""
    frame = made_table(120).drop(columns=["churn", "agreed", "since"]).set_index("customer_id")
    frame["profit"] += 0.5
    random = np.random.default_rng(8)
    risk = random.random(len(frame))
    scored = pd.DataFrame({"score": risk, "origin": "out_of_fold", "risk": risk}, index=frame.index)
    scored["contactable"] = random.random(len(frame)) < 0.7
    scored["profit"] = frame["profit"]
    scored["value_at_stake"] = 3 * frame["profit"].clip(lower=0)
    scored["profit_at_risk"] = risk * scored["value_at_stake"]
    features = frame.drop(columns="profit").rename(columns={"Город": "city", "Visits": "visits"})
    features["visits"] = features["visits"].astype("float64")
    features["city"] = features["city"].astype("category")
    kinds = {"visits": "number", "spent": "number", "city": "category"}
    columns = {name: Column(name, "other", kind, en=name, ru=name) for name, kind in kinds.items()}
    return Audience(scored, features[list(kinds)], columns, "euro")


def _vary_option(ground: Ground, group: str, fit: Callable[[Any], object]) -> Reader:
    """Read options of a config group, as files and as trees, and hold them against customers."""
    (ground.folder / group).mkdir()
    path = ground.folder / group / "fuzzed.yaml"
    shipped = sorted((conf_dir() / group).glob("*.yaml"))
    texts = [one.read_text("utf-8") for one in shipped]
    line = Arguments((f"{group}=fuzzed", "study.name=fuzz"), config_dirs=(ground.folder,))

    def vary(chance: Random) -> Read:
        text = chance.choice(texts)
        tree = yaml.safe_load(text)
        if chance.random() < 0.7:
            changed = mutate_tree(chance, tree)
            return lambda: fit(changed)
        as_json = chance.random() < 0.5
        raw = mutate_json(chance, tree) if as_json else mutate_text(chance, text)
        path.write_bytes(raw)
        if chance.random() < COMPOSED / 0.3:
            return lambda: compose_compare(line)
        return lambda: check_config_files(line.config_dirs)

    return vary


def vary_offers(ground: Ground) -> Reader:
    """Read catalogues of offers."""
    audience = _audience()
    shipped = (conf_dir() / "assumptions/default.yaml").read_text("utf-8")
    assumptions = parse(Assumptions, yaml.safe_load(shipped))

    def fit(tree: Any) -> None:
        catalogue = parse(Catalogue, tree, "offers")
        check_catalogue(catalogue, audience)
        evaluate_offers(settled_catalogue(catalogue, audience), audience, assumptions)

    return _vary_option(ground, "offers", fit)


def vary_segmentation(ground: Ground) -> Reader:
    """Read segmentations."""
    audience = _audience()

    def fit(tree: Any) -> None:
        segmentation = parse(Segmentation, tree, "segmentation")
        segments_of(audience, fit_segmentation(audience, segmentation, break_even_risk=0.2))
        segment_labels(segmentation) if segmentation.kind == "rules" else None

    return _vary_option(ground, "segmentation", fit)


TYPED = (
    *("-m", "model=svc,logreg", "model=glob(*)", "model.C=range(1,4)", "seed=1,2,3", "study=demo"),
    *("study.name=x", "'study.question=${oc.env:HOME}'", "data=table", "data.path='a, b.csv'"),
    *("data.columns.customer=клиент", "features=all", "features.site=false", "~features.site"),
    *("+model.max_iter=100", "++threads=2", "model.C=interval(0,1)", "seed=choice(1,2)"),
    *("seed=range(1,0,0)", "seed=shuffle(1,2)", "model=sort(svc,logreg)", "seed=int(3)"),
    *("hydra/launcher=basic", "hydra.launcher.partition=x", "hydra.sweeper.params={a: 1}"),
    *(
        "data.derived={a: {formula: [1, 2]}}",
        "data.keep_columns=[a,b]",
        "outputs=/x",
        "metrics=profit",
    ),
    *("tuning.trials=5", "validation.folds=2", "sampler=smote", "max_runs=3", "-h", "-cd"),
    *("model@model2=svc", "study.sweeps=[{seed: '1,2'}]", "seed=tag(a, choice(1,2))", "--cfg=job"),
)
"""Words of a command line, right ones and wrong ones."""


def vary_overrides(ground: Ground) -> Reader:
    """Read command lines, and compose some of them."""
    groups = Groups.among((conf_dir(),))
    del ground

    def read(words: list[str], *, whole: bool) -> None:
        line = read_line(words)
        count_runs(overrides := check_overrides(line.overrides, groups))
        if not whole:
            expand_axes(overrides)
        elif not (line.help or line.to_hydra):
            with Composer(line, "run") as composer:
                few = len(list(itertools.islice(composer.trees(), 3))) < 3
                composer.runs() if few else None

    def vary(chance: Random) -> Read:
        words = chance.sample(TYPED, chance.choice((1, 1, 2, 4)))
        place = chance.randrange(len(words))
        raw = mutate_text(chance, words[place], tokens=r"[\w./]+|[^\w\s]")
        words[place] = raw.replace(b"\0", b"").decode("utf-8", "surrogateescape")
        whole = chance.random() < COMPOSED
        return lambda: read(words, whole=whole)

    return vary
