"""The way from a finished study to a campaign, by the command that users type."""

import json
import re
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from retain.campaign.assignment import read_assignment
from retain.cli.terminal.control_group import describe_power
from retain.record.plan_scenarios import PowerResult
from retain.verdict.statistics import wilson_interval

STORE = ("data.customers=120", "validation.folds=2", "validation.repeats=1")
CATALOGUE = """
name: mine
offers:
  call:
    label: {en: A call, ru: Звонок}
    text: {en: "Hello!", ru: "Здравствуйте!"}
    channel: phone
    needs_consent: true
    contact_cost: 0.5
    redemption_cost: 0.0
    discount: 0.0
    redemption_rate_stayers: 0.0
    save_rate: {alpha: 6.0, beta: 14.0}
"""


@pytest.fixture(scope="module")
def swept(tmp_path_factory, fork_server):
    """A folder with the finished runs of a study."""
    from retain.cli.run import run, run_command

    folder = tmp_path_factory.mktemp("swept")
    words = ("-m", "model=logreg,dummy", f"outputs={folder}", *STORE)
    assert run_command(run, words, "run") == 0
    return folder


@pytest.fixture(scope="module")
def compared_before():
    """Output and files of each line that was compared, by its words."""
    return {}


@pytest.fixture
def compared(swept, compared_before, here, retain_compare, tmp_path_factory):
    """``retain-compare`` on a copy of the study: exit code, output, the verdict's folder.

    A line that was compared before leaves what it left then, unless it is to be done ``anew``.
    """
    outputs = here / "outputs"

    def called(*words, anew=False):
        shutil.rmtree(outputs, ignore_errors=True)
        if words in compared_before and not anew:
            code, output, left = compared_before[words]
            shutil.copytree(left, outputs)
        else:
            shutil.copytree(swept, outputs)
            code, output = retain_compare("study=adhoc", "resamples=200", *words)
            left = tmp_path_factory.mktemp("left") / "outputs"
            compared_before[words] = code, output, shutil.copytree(outputs, left)
        return code, output, outputs / "adhoc" / "verdict"

    return called


def verdict_of(folder):
    return json.loads((folder / "verdict.json").read_text(encoding="utf-8"))


def campaign_in(folder):
    """The folder of the campaign that a verdict points to."""
    return folder.parent / "campaigns" / verdict_of(folder)["campaign"]["id"]


def tree_of(folder):
    """The campaign that a verdict points to, as its own file has it."""
    return json.loads((campaign_in(folder) / "campaign.json").read_text(encoding="utf-8"))


def test_what_the_files_say_adds_up(compared):
    code, output, folder = compared("campaign.budget=5", "campaign.control_share=0.25")
    assert code == 0, output
    tree, customers = tree_of(folder), pd.read_csv(folder / "customers.csv")
    offers, arms = (
        pd.read_csv(campaign_in(folder) / "offers.csv"),
        pd.read_csv(campaign_in(folder) / "campaign.csv"),
    )
    plan = tree["plan"]
    assert len(customers) == tree["n_customers"] == verdict_of(folder)["data"]["n_rows"]
    assert customers["contactable"].sum() == tree["n_contactable"]
    assert customers["profit_at_risk"].sum() == pytest.approx(
        tree["expected_profit_at_risk"]["value"]
    )
    treated = arms[arms["arm"] == "treatment"]
    assert len(arms) == plan["n_chosen"] == plan["n_treated"] + plan["n_control"]
    assert sorted(treated["customer_id"]) == sorted(offers["customer_id"])
    assert treated["expected_cost"].sum() == pytest.approx(plan["expected_cost"])
    assert plan["expected_cost"] <= 5
    assert treated["expected_net"].sum() == pytest.approx(plan["expected_net"]["value"])
    assert plan["expected_saved"] == pytest.approx(
        plan["expected_net"]["value"] + plan["expected_cost"]
    )
    for one in tree["offers"]:
        mine = offers[offers["offer"] == one["name"]]
        assert len(mine) == one["n_treated"]
        assert mine["expected_cost"].sum() == pytest.approx(one["expected_cost"])
    held = {
        (one["segment"], one["offer"]): one["n_control"] for one in tree["control_group"]["strata"]
    }
    assert sum(held.values()) == plan["n_control"]
    assert verdict_of(folder)["campaign"]["id"] == tree["id"]
    assert "offers.csv" in tree["files"]


def test_segments_show_observed_declines_beside_expected_ones(compared):
    _, _, folder = compared("campaign.budget=5", "campaign.control_share=0.25")
    tree = verdict_of(folder)
    table = pd.read_csv(folder / "segments.csv").set_index("segment")
    assert table["n_customers"].sum() == sum(tree["n_scored"].values())
    for one in tree["segments"]:
        row = table.loc[one["segment"]]
        assert row["n_declined"] == one["n_declined"]
        assert row["expected_risk"] == pytest.approx(one["expected_risk"])
        if one["n_customers"] < 20:
            assert one["risk"] is None
            assert pd.isna(row["risk_low"])
            continue
        low, high = wilson_interval(one["n_declined"], one["n_customers"])
        assert one["risk"]["value"] == pytest.approx(one["n_declined"] / one["n_customers"])
        assert one["risk"]["low"] >= 0
        assert one["risk"]["low"] <= low + 1e-9  # duplicates widen the interval
        assert one["risk"]["high"] >= high - 1e-9
    check = tree["calibration_check"]
    assert sum(one["n_customers"] for one in check["tenths"]) == table["n_customers"].sum()
    declined = sum(one["n_declined"] for one in check["tenths"])
    assert declined == table["n_declined"].sum()
    codes = {one["code"] for one in tree_of(folder)["cautions"]}
    flags = check["n_flagged_segments"] + check["n_flagged_tenths"]
    assert ("risk_miscalibrated" in codes) == (flags > 0)


def test_nobody_without_consent_is_in_any_list(compared):
    _, _, folder = compared("campaign.min_contacts={low risk low value: 3}")
    customers = pd.read_csv(folder / "customers.csv", index_col="customer_id")
    silent = set(customers.index[~customers["contactable"]])
    needs = {one["name"] for one in tree_of(folder)["offers"] if one["needs_consent"]}
    arms = pd.read_csv(campaign_in(folder) / "campaign.csv")
    assert needs
    assert silent
    assert not silent & set(arms.loc[arms["offer"].isin(needs), "customer_id"])


def test_the_same_line_makes_the_same_campaign(compared):
    def files(folder):
        paths = (*campaign_in(folder).iterdir(), folder / "segments.csv")
        return {str(path.relative_to(folder.parent)): path.read_bytes() for path in paths}

    _, _, folder = compared("campaign.budget=5")
    before = files(folder)
    code, output, _ = compared("campaign.budget=5", anew=True)
    assert code == 0, output
    assert files(folder) == before


def test_another_seed_holds_out_others(compared):
    _, _, folder = compared("campaign.budget=5")
    one = pd.read_csv(campaign_in(folder) / "campaign.csv").set_index("customer_id")["arm"]
    compared("campaign.budget=5", "campaign.seed=1")
    other = pd.read_csv(campaign_in(folder) / "campaign.csv").set_index("customer_id")["arm"]
    assert (one != other.reindex(one.index)).any()


def test_more_budget_moves_from_the_dearest_customers_to_all_whom_it_pays_to_reach(compared):
    sizes, nets = [], []
    for words in (("campaign.budget=2",), ("campaign.budget=5",), ("campaign=default",)):
        _, output, folder = compared(*words, "campaign.offers_per_segment=null")
        tree = tree_of(folder)
        sizes.append(tree["plan"]["n_chosen"])
        nets.append(tree["plan"]["expected_net"]["value"])
        assert tree["plan"]["relative_gap"] <= 1e-3, output
    assert sizes == sorted(sizes)
    assert nets == sorted(nets)
    curve = tree["budget_curve"]
    assert [one["expected_net"] for one in curve] == sorted(one["expected_net"] for one in curve)
    assert curve[-1]["n_chosen"] == sizes[-1]


def test_without_a_campaign_asked_for_there_are_segments_alone(compared):
    code, output, folder = compared("campaign=none")
    assert code == 0, output
    assert not (folder.parent / "campaigns").exists()
    assert verdict_of(folder)["campaign"] is None
    assert len(verdict_of(folder)["segments"]) > 1


def snapshot(folder):
    """Every file below a folder by its bytes."""
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


# Whoever was sent an offer must not change arms because somebody looked a second time.
@pytest.mark.parametrize("second", [("campaign.budget=2",), ("campaign=none", "explain=none")])
def test_a_second_look_leaves_the_campaign_that_was_sent_and_the_verdict_that_points_to_it(
    compared, retain_compare, second
):
    _, _, folder = compared("campaign.budget=5")
    verdict, campaign = snapshot(folder), snapshot(campaign_in(folder))
    code, output = retain_compare("study=adhoc", *second)
    assert code == 2
    assert f"points to campaign {campaign_in(folder).name} and still does" in output
    assert ("customers change arms" in output) == (second[0] != "campaign=none")
    assert snapshot(folder) == verdict
    assert snapshot(campaign_in(folder)) == campaign
    typed = re.search(r"all the same: retain-compare (.*)", output)[1].split()
    before = campaign_in(folder)
    code, output = retain_compare(*typed)
    assert code == 0, output
    assert snapshot(before) == campaign
    found = verdict_of(folder)["campaign"]
    assert found is None if second[0] == "campaign=none" else found["id"] != before.name


def test_a_comparison_that_changes_nobodys_arm_points_to_its_campaign_unasked(
    compared, retain_compare
):
    _, _, folder = compared("campaign.budget=5")
    before = campaign_in(folder)
    code, output = retain_compare("study=adhoc", "campaign.budget=5", "report.language=ru")
    assert code == 0, output
    assert campaign_in(folder) != before
    assert before.is_dir()
    same = read_assignment(before).table  # the other file is in the Russian dialect
    pd.testing.assert_frame_equal(read_assignment(campaign_in(folder)).table, same)


def test_a_gate_alone_opens_and_writes_nothing(compared, retain_compare, here):
    compared("campaign.budget=5")
    before = snapshot(here / "outputs")
    words = ("study=adhoc", "gate_only=true", "explain=none", "campaign=none")
    assert retain_compare(*words, "gate.roc_auc=0.5")[0] == 0
    code, output = retain_compare(*words, "gate.roc_auc=1.0")
    assert code == 3
    assert "missed by" in output
    assert snapshot(here / "outputs") == before
    code, output = retain_compare(*words)
    assert code == 2
    assert "gate.METRIC=VALUE" in output


def test_files_of_the_older_verdict_that_the_newer_one_has_not_are_named(compared, retain_compare):
    compared("campaign=none", "explain=fast")
    code, output = retain_compare("study=adhoc", "campaign=none", "explain=none")
    assert code == 0, output
    assert "The previous verdict had drivers.csv, features.csv" in " ".join(output.split())


def mine(here, text):
    folder = here / "mine" / "offers"
    folder.mkdir(parents=True)
    (folder / "mine.yaml").write_text(f"# Offers of a store.\n{text}", encoding="utf-8")
    return ("-cd", str(here / "mine"), "offers=mine", "campaign=default")


BAD = {
    "campaign.budget=plenty": r"campaign.budget is 'plenty'; expected number",
    "campaign.budget=-1": r"campaign.budget is -1; expected greater than or equal to 0",
    "campaign.control_share=1": r"campaign.control_share is 1; expected less than or equal to 0.9",
    "campaign.min_contacts={nobodies: 3}": r"min_contacts: segment 'nobodies' is not one of",
    "assumptions.horizon.value=9": r"assumptions.horizon .*low ≤ value ≤ high",
    "assumptions.horizn.value=3": r"key 'horizn' is unknown. Did you mean 'horizon'",
    "offers.mine.capacity=5": r"key 'mine'|offers",
    "segmentation.risk.scale=share": r"segmentation.risk.scale is 'share'; expected",
}


@pytest.mark.parametrize("words", BAD)
def test_bad_limits_are_refused_before_the_sealed_test_is_opened(compared, words):
    code, output, folder = compared(words)
    assert code == 2
    assert "Traceback" not in output
    assert pd.Series([output]).str.contains(BAD[words]).all(), output
    assert not folder.exists()
    assert not (folder.parent / "ledger.jsonl").exists()


WRONG = {
    "contact_cost: 0.5": ("contact_cost: -0.5", r"contact_cost is -0.5; expected greater than"),
    'en: "Hello!"': ('en: "Hello {nme}!"', r"offers.call.text.*nme"),
    "channel: phone": (
        "channel: phone\n    include_if: {service_erors: {at_least: 1.0}}",
        r"offers.call.include_if: .*'service_erors'.*Did you mean 'service_errors'",
    ),
}


@pytest.mark.parametrize("part", WRONG)
def test_a_catalogue_with_a_mistake_is_refused_with_its_place(compared, here, part):
    text, expected = WRONG[part]
    code, output, folder = compared(*mine(here, CATALOGUE.replace(part, text)))
    assert code == 2, output
    assert "Traceback" not in output
    assert pd.Series([output]).str.contains(expected).all(), output
    assert not folder.exists()
    assert not (folder.parent / "ledger.jsonl").exists()


def test_a_catalogue_of_one_s_own_is_offered_at_what_it_is_assumed_to_cost(compared, here):
    code, output, folder = compared(
        *mine(here, CATALOGUE), "assumptions.cost_multiplier.value=1.25"
    )
    assert code == 0, output
    assert [one["name"] for one in tree_of(folder)["offers"]] == ["call"]
    offers = pd.read_csv(campaign_in(folder) / "offers.csv")
    assert set(offers["text"]) == {"Hello!"}
    assert np.isfinite(offers["expected_net"]).all()
    np.testing.assert_allclose(offers["expected_cost"], 1.25 * 0.5)


@pytest.fixture
def other_store(here, shop, retain):
    """A study of a table without the columns named."""

    def learnt(*without):
        customers = shop(150)
        table = customers.features.assign(left=customers.target, money=customers.profit)
        table["agreed"] = customers.contactable
        table = table.drop(columns=list(without)).reset_index(names="id")
        table.to_csv(here / "my.csv", index=False)
        words = ["data=table", "data.path=my.csv", "data.id=id", "data.target=left"]
        if "money" not in without:
            words += ["data.profit=money", "data.profit_unit=coins"]
        if "agreed" not in without:
            words += ["data.consent=agreed"]
        code, output = retain(*words, "model=logreg", *STORE[1:])
        assert code == 0, output

    return learnt


def test_without_profit_customers_are_counted_with_a_word_on_what_is_missing(
    other_store, retain_compare
):
    other_store("money")
    code, output = retain_compare("study=adhoc", "campaign=default")
    assert code == 0, output
    assert "data.profit=COLUMN" in output
    assert "data.columns.amount=COLUMN data.profit_unit=UNIT" in output
    found = verdict_of(Path("outputs/adhoc/verdict"))
    assert found["segments"]
    assert "Each customer counts as one" in output
    campaign = found["campaign"]
    assert campaign["objective"] == "customers"
    assert campaign["plan"]["kept"]["value"] > 0
    (caution,) = [one for one in campaign["cautions"] if one["code"] == "no_profit"]
    assert caution["overrides"][0] == "data.profit=COLUMN data.profit_unit=UNIT"


def test_where_the_source_does_not_say_who_agreed_nobody_is_contacted(other_store, retain_compare):
    other_store("agreed")
    code, output = retain_compare("study=adhoc", "campaign=default", "offers.costs=accept")
    assert code == 0, output
    assert "campaign.consent=assume_given" in output
    tree = tree_of(Path("outputs/adhoc/verdict"))
    assert tree["n_contactable"] == 0
    assert not [one for one in tree["offers"] if one["needs_consent"] and one["n_chosen"]]
    words = ("campaign.consent=assume_given", "offers.costs=accept", "campaign.replace=true")
    code, output = retain_compare("study=adhoc", *words)
    assert code == 0, output
    assert tree_of(Path("outputs/adhoc/verdict"))["n_contactable"] == 150


# The placeholders of the general catalogue are zeros, which no contact costs.
def test_with_placeholder_costs_there_is_a_verdict_but_no_campaign(other_store, retain_compare):
    other_store()
    code, output = retain_compare("study=adhoc", "campaign=default")
    assert code == 0, output
    assert "letter and call have no cost in the catalogue" in " ".join(output.split())
    folder = Path("outputs/adhoc/verdict")
    found = verdict_of(folder)["campaign"]
    assert found["code"] == "free_offers"
    assert not (folder.parent / "campaigns").exists()
    costs, accept = (line.strip() for line in output.splitlines() if line.startswith("  offers."))
    assert [costs, accept] == found["overrides"]
    for words in (costs.replace("COST", "0.5").split(), [accept, "campaign.replace=true"]):
        code, output = retain_compare("study=adhoc", "campaign=default", *words)
        assert code == 0, output
        tree = tree_of(folder)
        cautions = [one["code"] for one in tree["cautions"]]
        assert ("free_offers" in cautions) == (accept in words)
        assert tree["settings"]["offers"]["costs"] == ("accept" if accept in words else "required")


def test_a_store_that_says_who_agreed_is_not_overruled(compared):
    code, output, _ = compared("campaign.consent=assume_given")
    assert code == 2
    assert "consent" in output


# Seven held out are a control group, though no effect can be seen with them.
@pytest.mark.parametrize(
    ("treated", "control", "message"),
    [
        (0, 0, "Nobody is contacted, so there is no effect to measure"),
        (26, 0, "Without a control group"),
        (26, 7, "too small to detect any effect .26 contacted and 7 in .* 260 in each group"),
    ],
)
def test_a_control_group_too_small_is_told_from_none(treated, control, message):
    power = PowerResult(
        expected=0.1,
        baseline_rate=0.4,
        minimum_detectable_effect=None,
        n_treated=treated,
        n_control=control,
        required_n=260,
        claimable=False,
    )
    campaign = SimpleNamespace(power=SimpleNamespace(overall=power))
    assert re.search(message, describe_power(campaign))


# A reason that lowers the risk says nothing of why the offer is made.
def test_reasons_are_what_raises_the_risk_with_the_offers_own_first():
    from retain.workflows.campaign import select_reasons

    columns = ["customer_id", "feature", "log_odds", "rank"]
    rows = [(7, "pages", 2.0, 2), (7, "errors", -3.0, 1), (8, "pages", 1.0, 1)]
    rows += [(7, "basket", 0.1, 9), (7, "minutes", 0.2, 8)]
    catalogue = SimpleNamespace(offers={"one": SimpleNamespace(drivers=("basket",))})
    plan = SimpleNamespace(
        treated_offer_index=np.array([0, -1]), offers=SimpleNamespace(catalogue=catalogue)
    )
    audience = SimpleNamespace(table=pd.DataFrame(index=[7, 8]))
    found = select_reasons(audience, plan, pd.DataFrame(rows, columns=columns), 2)
    assert found["customer_id"].tolist() == [7, 7]
    assert found["feature"].tolist() == ["basket", "pages"]
