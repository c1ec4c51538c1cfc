"""Every option of every config group, found by looking, composed, built and fitted."""

import warnings
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from omegaconf import OmegaConf

from retain.cli.compose import Composer
from retain.cli.help import OFFERED
from retain.cli.overrides import Arguments, Groups
from retain.errors import NotApplicable
from retain.execution.dataset import preflight, prepare_dataset
from retain.execution.plan import plan_runs
from retain.learning.components import build_training_spec
from retain.learning.cross_validation import cross_validate, fit, score_test
from retain.record.estimates import Estimate
from retain.record.label import Persistence
from retain.storage.paths import conf_dir
from retain.verdict.model_file import load_model, save_model

OPTIONS = Groups.among([conf_dir()]).options
QUICK = ("data.customers=120", "validation.folds=2", "validation.repeats=1")
LEARNING = (
    "features",
    "scaling",
    "model",
    "sampler",
    "calibration",
    "tuning",
    "validation",
    "metrics",
    "audit",
)
FITTING = {
    "random_forest": ("model.n_estimators=20",),
    "extra_trees": ("model.n_estimators=20",),
    "hist_gradient_boosting": ("model.max_iter=20",),
    "lightgbm": ("model.n_estimators=20",),
    "catboost": ("model.iterations=20",),
    "blend": (
        "model.members.extra_trees.n_estimators=20",
        "model.members.lightgbm.n_estimators=20",
    ),
    "quantile": ("scaling.n_quantiles=40",),
    "optuna": ("tuning.trials=3", "tuning.folds=2"),
}
"""What makes an option quick, or fit for so few customers."""
FIRST = {"demo": "unpaid_basket", "general": "letter"}
"""An offer of each catalogue."""
UNSCALED = ("scaling=none", "model=tree")


def compose_compare(*overrides, primary="run"):
    with Composer(Arguments(overrides, multirun=True), primary) as composer:
        return composer.runs()


@cache
def study(option, *data):
    """The runs of a study, composed once: that takes longer than all else here."""
    return compose_compare(f"study={option}", *data)


BASELINES = ("recency_rule", "bg_nbd", "pareto_nbd")
"""Models that read features which only a purchase log has."""


def cases():
    return [(group, option) for group in LEARNING for option in OPTIONS[group]]


@pytest.fixture(scope="session")
def log(tmp_path_factory, purchase_log):
    """The overrides that read a purchase log, validated in time."""
    path = tmp_path_factory.mktemp("log") / "log.csv"
    purchase_log(150).to_csv(path, index=False)
    return (
        "data=purchases",
        "validation=temporal",
        f"data.path={path}",
        "data.cache=null",
        "data.columns.customer=client",
        "data.columns.time=when",
        "data.snapshots.n=7",
        *QUICK[1:],
    )


@pytest.mark.parametrize("option", BASELINES)
def test_a_model_of_purchase_logs_is_not_applicable_to_other_customers(option):
    (run,) = compose_compare(*QUICK, f"model={option}")
    prepared = prepare_dataset(run.run)
    with pytest.raises(NotApplicable, match=f"model {option} reads .*, which these customers lack"):
        cross_validate(build_training_spec(run.run), prepared.customers, prepared.splits)


@pytest.mark.slow
@pytest.mark.parametrize(("group", "option"), cases(), ids=lambda text: text)
def test_every_option_composes_builds_fits_and_is_saved(group, option, tmp_path, log):
    chosen = UNSCALED if (group, option) == ("scaling", "none") else (f"{group}={option}",)
    store = log if option in (*BASELINES, "temporal") else QUICK
    run = compose_compare(*store, *chosen, *FITTING.get(option, ()))[0]
    prepared = prepare_dataset(run.run)
    built = build_training_spec(run.run)
    evaluation = cross_validate(built, prepared.customers, prepared.splits)
    assert 0 <= evaluation.metrics["roc_auc"]["value"] <= 1
    if group in ("model", "sampler", "tuning"):
        again = cross_validate(build_training_spec(run.run), prepared.customers, prepared.splits)
        assert again.scores.table.equals(evaluation.scores.table), "the same run, other bits"
    if group in ("model", "sampler", "scaling", "calibration", "tuning"):
        model = fit(built, prepared.customers, prepared.splits.ids)
        parts = len(prepared.splits.test_parts)
        before = score_test([model] * parts, built, prepared.customers, prepared.splits)
        again = load_model(tmp_path / "m.skops", save_model(model, tmp_path / "m.skops"))
        after = score_test([again] * parts, built, prepared.customers, prepared.splits)
        pd.testing.assert_frame_equal(before.table, after.table, check_exact=True)


@pytest.fixture
def sources(tmp_path, shop, log, purchase_log):
    """For each data option, the overrides that let it be read here."""
    from retain.customers.demo import write

    bought = purchase_log(150)
    lines = bought.assign(when=bought["when"].dt.strftime("%Y%m%d"))
    fields = lines[["client", "when", "pieces", "sum"]].astype(str)
    (tmp_path / "cdnow.txt").write_text("\n".join(fields.agg(" ".join, axis=1)) + "\n")

    write(tmp_path / "store", customers=120, seed=0)
    customers = shop(150)
    table = customers.features.assign(left=customers.target).reset_index(names="id")
    table.to_csv(tmp_path / "my.csv", index=False)
    return {
        "demo": ("data.customers=120",),
        "one_click": (f"data.dir={tmp_path / 'store'}",),
        "table": (f"data.path={tmp_path / 'my.csv'}", "data.id=id", "data.target=left"),
        "purchases": log,
        "cdnow": ("validation=temporal", f"data.path={tmp_path / 'cdnow.txt'}", "data.cache=null"),
    }


@pytest.mark.parametrize("option", OPTIONS["data"])
def test_every_source_is_read_and_learnt_from(option, sources):
    run = compose_compare(f"data={option}", *sources[option], *QUICK[1:])[0]
    prepared = prepare_dataset(run.run)
    evaluation = cross_validate(build_training_spec(run.run), prepared.customers, prepared.splits)
    # customers of the invented log fade out at times that nothing foretells
    dated = prepared.customers.panel is not None
    assert evaluation.metrics["roc_auc"]["value"] > (0.5 if dated else 0.6)


@pytest.mark.slow
@pytest.mark.parametrize("option", OPTIONS["study"])
def test_every_study_plans_its_runs(option, tmp_path, monkeypatch, log):
    monkeypatch.chdir(tmp_path)
    data = [text for text in log if text.startswith("data.")]
    runs = study(option, *(data if option == "purchases" else ()))
    planned = plan_runs(runs, preflight([one.run for one in runs]))
    assert all(one.pending_reason == "new" for one in planned.runs)
    assert planned.study.path.name == option
    assert not Path(runs[0].run.outputs).is_absolute()
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def smoke():
    """The runs of the smoke study, which nobody may change."""
    return study("smoke")


# What CI sweeps is what there is to choose: a new option that nobody tries cannot slip in.
@pytest.mark.slow
@pytest.mark.parametrize("group", ["model", "sampler", "scaling", "calibration", "tuning"])
def test_the_smoke_study_has_every_option(smoke, group):
    assert {run.config[group]["name"] for run in smoke} == set(OPTIONS[group])


@pytest.mark.slow
def test_the_sweeps_of_a_study_share_the_runs_they_have_in_common(smoke):
    alone = (9 - 4) + (4 - 1) + (4 - 1)  # samplers, scalings and calibrations not met before
    assert len(smoke) == len({run.id for run in smoke}) == 15 * 4 + alone + 2
    assert len(compose_compare("study=smoke", "model=tree")) == 4 + alone + 1


@pytest.mark.parametrize("option", OPTIONS["segmentation"])
def test_every_segmentation_composes(option):
    from retain.schema.compare import Compare
    from retain.schema.parsing import parse

    with Composer(Arguments((f"segmentation={option}",)), "compare") as composer:
        assert parse(Compare, composer.one()).segmentation.name == option


@pytest.mark.parametrize("option", OPTIONS["tracking"])
def test_every_tracking_composes(option):
    from retain.schema.compare import Compare
    from retain.schema.parsing import parse
    from retain.workflows.mlflow import check_tracking

    with Composer(Arguments((f"tracking={option}",)), "compare") as composer:
        tracking = parse(Compare, composer.one()).tracking
    check_tracking(tracking)
    assert tracking.name == option


@pytest.mark.parametrize("option", OPTIONS["explain"])
def test_every_kind_of_explanation_composes(option):
    from retain.schema.compare import Compare
    from retain.schema.parsing import parse

    with Composer(Arguments((f"explain={option}",)), "compare") as composer:
        explain = parse(Compare, composer.one()).explain
    assert explain.name == option
    assert explain.on == (option != "none")


def winner(source):
    """The winner of a study on data without a label of their own making."""
    data = SimpleNamespace(label=None)
    return SimpleNamespace(config={"data": {"name": source}}, data=data)


@pytest.mark.parametrize("group", ["assumptions", "campaign", "offers"])
def test_every_part_of_a_campaign_composes_and_settles(group):
    from retain.cli.campaign_settings import campaign_settings, compose_compare

    for option in OPTIONS[group]:
        line = Arguments((f"{group}={option}",))
        found = campaign_settings(line, compose_compare(line), winner("demo"))
        by_group = {
            "assumptions": found.assumptions,
            "campaign": found.campaign,
            "offers": found.offers,
        }
        assert by_group[group].name == option


# A store of one's own has no catalogue of its name, and none is guessed at.
@pytest.mark.parametrize(("source", "catalogue"), [("demo", "demo"), ("table", "general")])
def test_the_catalogue_is_the_one_named_after_the_data(source, catalogue):
    from retain.cli.campaign_settings import (
        campaign_settings,
        compose_compare,
        drop_group_overrides,
    )

    line = Arguments(("study=demo", f"offers.offers.{FIRST[catalogue]}.capacity=7"))
    run = compose_compare(drop_group_overrides(line))
    found = campaign_settings(line, run, winner(source)).offers
    assert found.name == catalogue
    assert found.offers[FIRST[catalogue]].capacity == 7


def measured(value, low, high):
    """The winner of a study on a log, whose label cost customers a share of their orders."""
    loss = Estimate(value, low, high)
    found = Persistence(n_rows=9, labelled=0.5, others=1.0, ratio=loss, loss_fraction=loss)
    quality = SimpleNamespace(persistence=found)
    return SimpleNamespace(
        config={"data": {"name": "purchases"}},
        data=SimpleNamespace(label=SimpleNamespace(quality=quality)),
    )


def test_what_a_decline_costs_is_measured_on_a_log_unless_it_is_typed():
    from retain.cli.campaign_settings import campaign_settings, compose_compare

    def loss(found, *typed):
        line = Arguments(typed)
        one = campaign_settings(line, compose_compare(line), found).assumptions.loss_fraction
        return one.value, one.low, one.high

    assert loss(measured(0.4, 0.3, 0.5)) == (0.4, 0.3, 0.5)
    assert loss(measured(0.4, 0.3, 0.5), "assumptions.loss_fraction=0.7") == (0.7, 0.7, 0.7)
    assert loss(measured(0.4, 0.3, 0.5), "assumptions=default") == (1.0, 0.5, 1.0)
    assert loss(measured(0.0, 0.0, 0.0)) == (0.01, 0.0, 0.01)
    assert loss(winner("purchases")) == (1.0, 0.5, 1.0)


@pytest.mark.parametrize("shares", [(5.0, 1.0, 9.0), (-1.0, -2.0, 0.0), (0.2, 0.5, 0.9)])
def test_a_record_cannot_have_measured_what_is_no_share(shares):
    with pytest.raises(ValueError, match="a share from 0 to 1"):
        measured(*shares)


def test_help_offers_every_group():
    offered = set().union(*OFFERED.values())
    assert set(OPTIONS) - offered == {"data/contract"}


def test_every_group_is_tried_by_one_of_these_tests():
    tried = {*LEARNING, "data", "study", "segmentation", "tracking", "explain", "hydra/launcher"}
    tried |= {"assumptions", "campaign", "offers"}
    tried |= {"effects"}  # tests/campaign/effects/test_spec.py
    assert set(OPTIONS) - tried == {"data/contract"}


@pytest.mark.parametrize("path", sorted(conf_dir().rglob("*.yaml")), ids=lambda p: p.stem)
def test_every_config_file_says_what_it_is_for(path):
    text = path.read_text(encoding="utf-8")
    assert any(line.startswith("# ") and "@package" not in line for line in text.splitlines()[:2])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tree = OmegaConf.load(path)
    if path.parent.name in ("model", "sampler", "scaling", "calibration", "tuning"):
        assert tree.name == path.stem
