"""The first page, the history and the campaigns say what the files say."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from retain.dashboard.campaigns import CampaignView, add_up_value, view_campaigns
from retain.dashboard.history import trace_study
from retain.dashboard.index import OutputsReader
from retain.dashboard.studies import find_progress, view_studies, view_study
from retain.execution.status import Status
from retain.record.documents import read_document
from retain.record.estimates import DisplayName, Estimate
from retain.record.readout_document import ReadoutDocument
from retain.record.verdict_document import VerdictDocument

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def made_index(made):
    return OutputsReader(made).read()


@pytest.fixture(scope="module")
def verdict(made):
    return read_document(VerdictDocument, made / "models" / "verdict" / "verdict.json")[1]


def status(state, updated_at):
    numbers = {"n_runs": 9, "n_done": 3, "n_failed": 0, "n_not_applicable": 0, "n_skipped": 0}
    return Status(
        study="models",
        state=state,
        started_at="",
        updated_at=updated_at,
        n_left=6,
        running=(),
        eta_seconds=None,
        best=None,
        **numbers,
    )


@pytest.mark.parametrize(
    ("state", "age", "progress"),
    [
        ("running", 5, "running"),
        ("running", 120, "silent"),
        ("finished", 120, "finished"),
        ("interrupted", 120, "interrupted"),
    ],
)
def test_a_sweep_that_no_longer_reports_is_not_said_to_run(state, age, progress):
    told = (NOW - timedelta(seconds=age)).isoformat()
    assert find_progress(status(state, told), NOW) == progress


@pytest.mark.parametrize("told", ["yesterday", "2026-01-01T11:59:59"])
def test_a_time_that_is_none_counts_as_silence(told):
    assert find_progress(status("running", told), NOW) == "silent"


def test_with_a_verdict_the_best_is_corrected_for_its_choice(made_index, verdict):
    view = view_study(made_index.study("models"))
    assert view.is_corrected
    assert view.best == verdict.selection.corrected.metrics["roc_auc"]
    assert view.best_id == verdict.winner.id
    assert view.n_accesses == 1
    assert view.states == {"done": 12}


def test_without_a_verdict_the_best_is_said_to_be_uncorrected(made_index):
    study = made_index.study("trees")
    view = view_study(study)
    best = max(study.rows, key=lambda row: row.estimate("roc_auc")[0])
    assert (view.best_id, view.is_corrected, view.n_tied) == (best.id, False, None)
    assert view.best == Estimate(*best.estimate("roc_auc"))


# A verdict names one run of a configuration with several seeds; the others are no less tied.
def test_all_seeds_of_a_tied_configuration_are_tied(made_index, verdict):
    study = made_index.study("models")
    twins = {
        row.id: [
            other.id
            for other in study.rows
            if other.config["model"]["name"] == row.config["model"]["name"]
            and other.config["sampler"]["name"] == row.config["sampler"]["name"]
        ]
        for row in study.rows
    }
    expected = {id_ for tied in (*verdict.tied, verdict.winner.id) for id_ in twins[tied]}
    assert set(study.tags) == expected
    assert [id_ for id_, tag in study.tags.items() if tag == "winner"] == [verdict.winner.id]


def test_the_study_that_ended_last_comes_first(made_index):
    assert [view.name for view in view_studies(made_index.studies)] == ["trees", "models"]


def test_the_history_has_each_step_and_each_access(made_index, verdict):
    history = trace_study(made_index.study("models"))
    values = [step.best.value for step in history.steps]
    assert values == sorted(values)
    assert history.steps[0].gain is None
    assert [step.gain for step in history.steps[1:]] == pytest.approx(np.diff(values))
    assert values[-1] == max(row.estimate("roc_auc")[0] for row in history.index.rows)
    assert [one.run_id for one in history.accesses] == [verdict.winner.id]
    assert sum(one.n_runs for one in history.commits) == 12


def test_a_ledger_that_was_edited_is_said_to_be_unreadable(copied):
    (copied / "invented" / "ledger.jsonl").write_text("{}\n", "utf-8")
    study = OutputsReader(copied).read().studies[0]
    assert view_study(study).n_accesses is None
    assert "ledger.jsonl, line 1" in trace_study(study).problem


def test_a_campaign_has_its_plan_and_what_was_measured(made_index, made):
    (campaign,) = view_campaigns(made_index.studies)
    folder = made / "models" / "campaigns" / campaign.id
    _, readout = read_document(ReadoutDocument, folder / "readout" / "readout.json")
    assert campaign.plan.plan.n_treated == readout.n_planned.treatment
    assert campaign.decline.difference == readout.effects[0].difference
    assert campaign.net == readout.money.net
    assert [step.total for step in add_up_value([campaign])] == [readout.money.net]


def test_a_campaign_that_cannot_be_read_says_so(copied):
    campaign = copied / "invented" / "campaigns" / "0123abcd"
    campaign.mkdir(parents=True)
    (campaign / "campaign.json").write_text("{}", "utf-8")
    (view,) = view_campaigns(OutputsReader(copied).read().studies)
    assert view.plan is None
    assert "campaign.json" in view.problem


class _Net(CampaignView):
    """A campaign of which the net value alone is known."""

    net = None
    unit = DisplayName("euro", "евро")


def campaign(net, unit="euro"):
    view = _Net("models", "0123abcd", "", None, None)
    object.__setattr__(view, "net", net)
    object.__setattr__(view, "unit", DisplayName.of(unit))
    return view


def test_sums_leave_out_another_unit():
    nets = [campaign(Estimate(3, 1, 6)), campaign(Estimate(9, 8, 10), "rouble")]
    nets.append(campaign(Estimate(1, -1, 5)))
    steps = add_up_value(nets)
    assert [step.total.value for step in steps] == [3, 4]
    last = steps[-1].total
    assert (last.low, last.high) == pytest.approx((4 - np.hypot(2, 2), 4 + np.hypot(3, 4)))


# The label says 95 %: so often must the interval of a sum of skewed estimates hold the true sum.
def test_the_interval_of_a_sum_covers_it():
    random = np.random.default_rng(0)
    truth, n, hits = np.array([2.0, -1.0, 5.0]), 400, 0
    for _ in range(1000):
        samples = truth[:, None] + random.gamma(2, 3, (3, n)) - 6
        means, errors = samples.mean(axis=1), samples.std(axis=1, ddof=1) / np.sqrt(n)
        nets = [Estimate(m, m - 1.96 * e, m + 1.96 * e) for m, e in zip(means, errors, strict=True)]
        total = add_up_value(map(campaign, nets))[-1].total
        hits += total.low <= truth.sum() <= total.high
    assert hits / 1000 == pytest.approx(0.95, abs=0.02)


# A folder of campaigns that leads out of the study is another person's choice of what is read.
def test_campaigns_outside_the_study_are_not_read(copied, made):
    (copied / "invented" / "campaigns").symlink_to(made / "models" / "campaigns")
    (view,) = view_campaigns(OutputsReader(copied).read().studies)
    assert view.plan is None
    assert "leads out of" in view.problem
