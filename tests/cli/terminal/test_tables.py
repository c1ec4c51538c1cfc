"""Tables keep every number whole, however large it is and narrow the terminal."""

import io
import re
from types import SimpleNamespace

import pandas as pd
import pytest
from rich.console import Console

from retain.cli.terminal.campaign import print_campaign, print_segments
from retain.cli.terminal.comparison import MIN_WIDE_COLUMNS, _leaderboard
from retain.cli.terminal.console import Table
from retain.cli.terminal.readout import print_readout
from retain.record.campaign_document import CampaignDocument
from retain.record.documents import CautionInfo

from .test_output import further, spaces

AMOUNTS = (0.01, 0.5, 12.34, 4_321.0, 1_234_567.0, 1e9)


def render(width, show):
    file = io.StringIO()
    show(Console(width=width, file=file, highlight=False))
    return file.getvalue()


def readout_of(amount):
    gap = {"value": -0.2 * amount, "low": -0.9 * amount, "high": 0.5 * amount}
    row = {
        "outcome": "profit",
        "treated_mean": amount,
        "control_mean": 1.2 * amount,
        "difference": gap,
        "is_adjusted": True,
        "p_adjusted": 0.2,
        "conclusion": "inconclusive",
        "minimum_detectable_effect": 0.7 * amount,
        "customers_saved": None,
    }
    part = {"scope": "offer", "name": "favourite_category", "conclusion": "not_tested"}
    return {
        "campaign_id": "0123abcd",
        "alpha": 0.05,
        "looks": [{"method": "always_valid", "information": 0.5}],
        "look_correction": {"width": 1.5, "n_more": 12},
        "is_turnover": True,
        "power": 0.8,
        "n_planned": {"treatment": 1_234, "control": 345},
        "n_observed": {"treatment": 1_234, "control": 345},
        "effects": [row | {"scope": "overall", "name": None}, row | part | {"p_adjusted": None}],
        "attrition": {"bounds": None},
        "compliance": None,
        "explored": None,
        "money": {
            "gain": gap,
            "net": gap,
            "basis": "observed",
            "cost": 0.3 * amount,
            "cost_basis": "stated",
            "expected_net": amount,
            "conclusion": "inconclusive",
        },
        "profit_unit": "rouble",
        "qini": {"reason": "too_few"},
        "cautions": [],
        "catalogue": None,
        "heterogeneity": [],
    }


def numbers(text):
    """The numbers of a text, however its lines are wrapped."""
    return re.findall(r"[\d,]*\d(?:\.\d+)?(?:e[+-]\d+)?", " ".join(text.split()))


@pytest.mark.parametrize("amount", AMOUNTS)
@pytest.mark.parametrize("width", [60, 80, 100])
def test_a_readout_is_whole_in_a_narrow_terminal(tmp_path, amount, width):
    tree = readout_of(amount)
    output = render(width, lambda at: print_readout(at, spaces(tree), tmp_path, None))
    lines = [line for line in output.splitlines() if str(tmp_path) not in line]
    assert max(map(len, lines)) <= width
    assert "…" not in output
    wide = render(300, lambda at: print_readout(at, spaces(tree), tmp_path, None))
    assert set(numbers(output)) == set(numbers(wide))
    assert not re.search(r"\de[+-]", output)
    shown = [float(text.replace(",", "")) for text in numbers(output)]
    for value in (amount, 1.2 * amount, 0.2 * amount, 0.9 * amount):
        assert any(one == pytest.approx(value, rel=0.02) for one in shown), value


def segments_of(amount):
    one = {
        "segment": "high risk · middle value",
        "n_customers": 12_345,
        "risk": {"value": 0.5, "low": 0.4, "high": 0.6},
        "n_declined": 6_000,
        "expected_risk": 0.5,
        "is_miscalibrated": True,
        "observed_profit_at_risk": {"value": amount, "low": 0.5 * amount, "high": 2 * amount},
        "expected_profit_at_risk": {"value": amount, "low": None, "high": None},
        "contrasts": [],
        "is_small": False,
    }
    tree = {
        "segments": [one],
        "n_scored": {"out_of_fold": 12_345},
        "fitted_thresholds": {"segmentation": {"risk": None}},
        "dominant_segment": None,
        "campaign": None,
    }
    return spaces(tree)


@pytest.mark.parametrize("amount", AMOUNTS)
@pytest.mark.parametrize("width", [60, 80])
def test_segments_are_whole_in_a_narrow_terminal(amount, width):
    output = render(width, lambda at: print_segments(at, segments_of(amount)))
    assert max(map(len, output.splitlines())) <= width
    assert "…" not in output
    wide = render(300, lambda at: print_segments(at, segments_of(amount)))
    assert set(numbers(output)) == set(numbers(wide))


@pytest.mark.parametrize(("is_turnover", "money"), [(True, "Turnover"), (False, "Profit")])
def test_segments_of_a_plan_in_turnover_say_turnover(is_turnover, money):
    tree = segments_of(12.5)
    tree.campaign = CampaignDocument.model_construct(is_turnover=is_turnover)
    assert f"{money} at risk is observed" in render(120, lambda at: print_segments(at, tree))


def test_offers_that_nobody_gets_are_named_below_those_that_somebody_gets():
    tree = further("letter").campaign
    (chosen,) = tree.offers
    unchosen = SimpleNamespace(**{**vars(chosen), "name": "call", "n_chosen": 0})
    tree.offers = [chosen, unchosen]
    at = Console(file=io.StringIO(), width=100)
    print_campaign(at, tree)
    shown = at.file.getvalue()
    assert re.search(r"letter +1 +1 +1", shown)
    assert not re.search(r"call +1", shown)
    assert "for nobody: call" in shown


def test_where_customers_are_counted_the_campaign_speaks_of_customers_kept():
    tree = further("letter").campaign
    tree.objective = "customers"
    tree.plan.kept = SimpleNamespace(value=1.0, per_contact=0.5, per_cost=None)
    tree.shadow_prices = SimpleNamespace(
        budget=SimpleNamespace(step=10.0, gain=0.0),
        contact=0.25,
        consent=None,
        control_group=SimpleNamespace(n_customers=9, cost=3.0),
    )
    shown = " ".join(render(100, lambda at: print_campaign(at, tree)).split())
    assert "In customers kept, a larger budget alone would add nothing" in shown
    assert re.search("cost kept 95 % interval", shown)
    assert not re.search(r"net\b|profit", shown)


@pytest.mark.parametrize("width", [80, 120])
def test_the_leaderboard_says_why_a_run_is_not_tied_and_in_a_wide_terminal_the_seconds(width):
    keys = ("rank", "id", "roc_auc", "roc_auc_low", "roc_auc_high", "brier", "ece", "difference")
    runs = [(1, "a", True), (2, "b", True), (3, "c", False)]
    rows = [
        {**dict.fromkeys(keys, 0.5), "rank": rank, "id": name, "model": name, "tied": tied}
        for rank, name, tied in runs
    ]
    table = pd.DataFrame(rows).assign(
        p=0.1, p_adjusted=0.1, stopped_early=False, n_folds=5, fit_seconds=7.25
    )
    best = SimpleNamespace(id="a")
    verdict = SimpleNamespace(table=table, best=best, winner=best, keys=("model",))
    at = Console(file=io.StringIO(), width=width)
    at.print(_leaderboard(verdict, "study", wide=width >= MIN_WIDE_COLUMNS))
    lines = at.file.getvalue().splitlines()
    said = {line.split()[1]: line for line in lines if re.match(r" *[123] ", line)}
    assert [re.search(r"best|tied|lower", said[name])[0] for name in "abc"] == [
        *("best", "tied", "lower"),
    ]
    assert all(("7.2" in line) == (width == 120) for line in said.values())


def test_a_table_too_wide_for_the_terminal_is_a_list_of_all_its_cells():
    table = Table("name", "amount", "", title="Amounts", caption="in euro")
    table.add_row("one", "1,234,567", "")
    table.add_row("a much longer name", "2", "last")
    for column in table.columns:
        column.no_wrap = True
    assert "name" in render(60, lambda at: at.print(table)).splitlines()[2]
    lines = [line.rstrip() for line in render(20, lambda at: at.print(table)).splitlines()]
    assert lines == [
        "Amounts",
        "  one",
        "    amount 1,234,567",
        "  a much longer name",
        "    amount 2, last",
        "in euro",
    ]


def test_a_readout_of_turnover_never_speaks_of_profit(tmp_path):
    tree = readout_of(12.34)
    harm = CautionInfo.of("harm", scope="overall", name=None, outcome="profit")
    tree |= {"is_turnover": True, "cautions": [harm]}
    output = render(200, lambda at: print_readout(at, spaces(tree), tmp_path, None))
    assert "turnover" in output.casefold()
    assert "profit" not in output.casefold()
