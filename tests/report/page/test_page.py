"""The page as a file: whole, small, closed to any network, and deaf to markup in names."""

import json
import re

import pytest

from retain.errors import RetainError
from retain.record.documents import read_document
from retain.record.verdict_document import VerdictDocument
from retain.report.page.page import page
from retain.report.render import render_charts
from retain.wording import BIDI_CONTROLS, show_bidi_controls

from ..trees import reading_trees

page = reading_trees(page)
render_charts = reading_trees(render_charts)

pytestmark = pytest.mark.slow

OPTIONAL = sorted(
    name
    for name, field in VerdictDocument.model_fields.items()
    if not field.is_required() and name != "schema_"
)
EVIL = (
    '<script>alert(1)</script><img src=x onerror="alert(2)">{{ 7 * 7 }} $a$ \x1b\u2028\u202e\u200f'
)


def island(html):
    found = re.search(
        r'<script type="application/json" id="island">(.*?)</script>', html, re.DOTALL
    )
    return json.loads(found[1])


def poisoned(tree):
    """The tree with markup wherever a file of the user's, or an error, can put a text."""
    tree["question"] = EVIL
    tree["study"], tree["studies"] = EVIL, [EVIL, "b"]
    tree["winner"]["name"] = EVIL
    tree["winner"]["config"][EVIL] = EVIL
    tree["winner"]["tuning"]["folds"][0]["parameters"][EVIL] = EVIL
    tree["key_columns"].append(EVIL)
    for row in tree["leaderboard"]:
        row["sampler"] = row[EVIL] = EVIL
    tree["main_effects"][0] |= {"factor": EVIL, "reference": EVIL}
    tree["main_effects"][0]["levels"][0]["level"] = EVIL
    tree["main_effects"][0]["missing_runs"]["examples"] = [{EVIL: EVIL, "reason": EVIL}]
    tree["cautions"] = [{"code": EVIL, "message": EVIL}]
    tree["excluded_runs"][0] |= {"overrides": [EVIL], "reason": EVIL, "state": EVIL}
    tree["data"]["funnel"][0] |= {"name": EVIL, "reason": EVIL}
    tree["checks"][0] |= {"code": EVIL, "message": EVIL}
    tree["sealed_test"]["accesses"][0] |= {"study": EVIL, "accessed_at": EVIL}
    tree["commands"] = [EVIL, f"retain-compare {EVIL}"]
    tree["environment"]["packages"][EVIL] = EVIL
    tree["diffs"][0]["config"] = [{"key": EVIL, "a": EVIL, "b": EVIL}]
    tree["diffs"][0]["largest_changes"][0]["customer_id"] = EVIL
    poison(tree["explanations"])
    poison_campaign(tree)
    return tree


def poison_campaign(tree):
    """Markup wherever rules and a catalogue name a thing."""
    name, campaign = {"en": EVIL, "ru": EVIL}, tree["campaign"]
    campaign |= {"profit_unit": EVIL, "basis": name}
    poison_approval(tree, name)
    for at, one in enumerate(tree["segments"]):
        one |= {"segment": f"{EVIL}{at}", "label": None if at else name, "is_small": True}
        for difference in one["contrasts"]:
            difference |= {"feature": EVIL, "label": name, "level": EVIL, "level_label": None}
    for one in campaign["offers"]:
        one |= {"name": EVIL, "label": name, "channel": EVIL}
    for one in campaign["overview"]["channels"]:
        one["channel"] = EVIL
    for one in campaign["control_group"]["strata"]:
        one |= {"segment": EVIL, "offer": EVIL}
    for one in campaign["power"]["segments"]:
        one["segment"] = EVIL


def poison_approval(tree, name):
    """Markup wherever the plan to approve, its care and its texts name a thing."""
    campaign, catalogue = tree["campaign"], tree["settings"]["offers"]
    for at, row in enumerate(campaign["approval"]):
        row |= {"segment": f"{EVIL}{at}", "label": name if at % 2 else None}
        for one in row["choices"]:
            one |= {"offer": EVIL, "label": name, "channel": EVIL}
            one["why"] |= {"feature": EVIL, "label": name}
    for one in campaign["care"]:
        one |= {"name": EVIL, "label": name, "channel": EVIL}
    first, *_ = catalogue["offers"].values()
    first["steps"][0]["text"] = name
    catalogue["offers"] = {EVIL: {**first, "label": name, "text": name}}


def poison(reasons):
    """Markup wherever a contract names a thing, and where a model could not be explained."""
    name = {"en": EVIL, "ru": EVIL}
    reasons["reason"] = reasons["groups"][0]["name"] = EVIL
    reasons["groups"][-1]["reason"] = EVIL
    reasons["target"]["label"] = name
    for feature in reasons["features"]:
        feature |= {"label": name, "group": EVIL, "top_level": feature["top_level"] and name}
        held = feature["distribution"]
        for level in held.get("levels", []):
            level["label"] = name
        for point in feature["dependence"] or []:
            point["label"] = point["label"] and name
    for example in reasons["examples"]:
        example["customer_id"] = EVIL
        for one in example["drivers"]:
            one["level"] = one["level"] and name
    for row in reasons["label_audit"]:
        row |= {"previous": name, "current": name, "derived": name}


def test_markup_in_names_and_reasons_is_text(tree):
    html = page(poisoned(tree), "en")
    assert html.count("<script") == 2
    assert "<img" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "7 * 7" in html
    data = re.search(r'id="island">(.*?)</script>', html, re.DOTALL)[1]
    assert not re.search("[<>&\u2028\u2029]", data)
    assert show_bidi_controls(EVIL) in island(html)["board"]["keys"][-1]["levels"]
    assert not set(BIDI_CONTROLS) & {*html, *data.encode().decode("unicode_escape")}


def test_markup_in_names_stays_text_in_a_browser(opened, tree):
    view = opened(page(poisoned(tree), "en"))
    view.on("dialog", lambda _: pytest.fail("a name was run as a script"))
    assert view.locator("#board tbody td", has_text="<script>alert(1)</script>").count() > 0
    assert view.locator("#difference", has_text="<script>alert(1)</script>").count() == 1
    assert view.locator("img").count() == 0


# A second script, however it came in, has another hash than the policy names.
def test_the_policy_lets_no_other_script_run(browser, tree, tmp_path):
    html = page(tree, "en").replace("</main>", "<script>document.title = 'taken'</script></main>")
    file = tmp_path / "tampered.html"
    file.write_text(html, encoding="utf-8")
    view = browser.new_page()
    view.goto(file.as_uri())
    assert view.title() == "models · retain"
    view.close()


def test_the_page_speaks_of_no_address(tree):
    html = page(tree, "en")
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', html)[1]
    assert policy.startswith("default-src 'none'")
    outside = re.findall(r"(?:https?:)?//[\w.]+", html)
    assert set(outside) <= {"http://www.w3.org"}
    assert not re.search(r"<link|@import|url\(['\"]?(?!#)", html)


def test_ten_thousand_runs_fit_the_page(many):
    _, html = many
    assert len(html.encode("utf-8")) < 3_500_000
    assert len(island(html)["board"]["id"]) == 10_000


@pytest.mark.parametrize("part", [*OPTIONAL, "all of them"])
def test_a_verdict_without_an_optional_part_still_has_its_page(tree, part):
    tree["curves"] = None
    for name in OPTIONAL if part == "all of them" else [part]:
        tree.pop(name, None)
    html = page(tree, "ru")
    assert html.rstrip().endswith("</html>")
    assert '<html lang="ru">' in html


def test_parts_of_parts_may_be_absent_too(tree):
    tree["curves"]["captured_profit"] = None
    tree["winner"]["tuning"] = None
    tree["git"]["commit"] = None
    tree["data"]["funnel"] = []
    for one in tree["segments"]:
        one.update(
            dict.fromkeys(
                (
                    "label",
                    "total_profit",
                    "observed_profit_at_risk",
                    "expected_profit_at_risk",
                    "contactable_share",
                )
            )
        )
        one.update(stability=None, contrasts=[])
    assert 'data-chart="captured_profit"' not in page(tree, "en")


def test_the_first_launches_and_the_comparison_are_shown_and_the_other_launches_folded(tree):
    launches = [f"retain study.name=x model.C={n}" for n in range(50)]
    tree["commands"] = [*launches, "retain-compare study=x"]
    shown = page(tree, "en")
    head, _, folded = shown.partition("More launches, to be made before the comparison: 30")
    assert head.count("retain study.name=x model.C=") == 20
    assert "<code>retain-compare study=x</code>" in head
    assert folded.count("retain study.name=x model.C=") == 30


def test_one_run_alone_has_a_page(tree_of):
    assert "only one run is finished" in page(tree_of(1), "en").lower()


def test_a_verdict_of_another_schema_is_refused(tmp_path):
    path = tmp_path / "verdict.json"
    path.write_text('{"schema": 3}', encoding="utf-8")
    with pytest.raises(
        RetainError, match=r"has schema 3, which retain 0\.1 reads; this version reads schema 4"
    ):
        read_document(VerdictDocument, path)


def test_the_same_verdict_gives_the_same_bytes(tree, monkeypatch):
    shared = page(tree, "ru")
    monkeypatch.setattr("retain.report.page.page.render_charts", render_charts)
    assert page(tree, "ru") == shared


def test_no_two_elements_share_an_id(tree):
    ids = re.findall(r'\sid="([^"]+)"', page(tree, "en").partition('id="island"')[0])
    assert len(ids) == len(set(ids))


def test_from_the_second_opening_on_the_page_says_how_often(tree):
    assert "The sealed test was opened <data" in page(tree, "en")
    tree["sealed_test"]["accesses"] = tree["sealed_test"]["accesses"][:1]
    assert "The sealed test was opened <data" not in page(tree, "en")


# The caption of the curve spoke of a gap, the sealed test of an error of 0, of one model.
def test_every_sentence_about_the_calibration_error_ends_with_one_test(tree):
    bins = tree["curves"]["calibration"]
    assert page(tree, "en").count("the gap is larger than chance makes it in") >= 2
    for one in bins:
        one["is_miscalibrated"] = False
    html = page(tree, "en")
    assert html.count("bins is larger than chance makes it") >= 2
    assert "the gap is larger than chance makes it" not in html
