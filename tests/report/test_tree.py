"""The page as ``retain-compare`` leaves it, opened from where it lies."""

import json

import pytest


@pytest.fixture
def written(verdict):
    return (verdict / "report.html").read_text(encoding="utf-8")


@pytest.fixture
def found(verdict):
    return json.loads((verdict / "verdict.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("width", [1280, 390], ids=["desktop", "phone"])
def test_a_real_verdict_opens_and_fits(opened, written, found, tmp_path, width):
    view = opened(written, width=width)
    view.screenshot(path=tmp_path / f"{width}.png", full_page=True)
    assert view.evaluate("document.documentElement.scrollWidth") == width
    rows = view.locator("#leaderboard tbody tr")
    assert rows.count() == min(len(found["leaderboard"]), 25)
    assert found["winner"]["id"] in rows.first.inner_text()


def test_both_languages_of_a_real_verdict_tell_its_gate(opened, written):
    view = opened(written)
    assert "The gate is missed" in view.locator("main").inner_text()
    view.get_by_role("button", name="Русский").click()
    assert "The gate is missed" not in view.locator("main").inner_text()
    assert view.evaluate("document.documentElement.lang") == "ru"


def test_every_chart_is_a_file_too(verdict, found):
    names = {path.name for path in (verdict / "pictures").iterdir()}
    why = {"drivers", "beeswarm", "dependence", "distributions"}
    curves = {name for name, curve in found["curves"].items() if curve}
    campaign = (
        {"tornado", "risk_profit", "profit_curve", "budget_curve"}
        if found["campaign"] and "reason" not in found["campaign"]
        else set()
    )
    led_to = campaign | ({"segments"} if found["segments"] else set())
    drawn = {"intervals", "effects", *curves, *why, *led_to}
    assert names == {f"{name}.{form}" for name in drawn for form in ("svg", "png")}
    assert all(path.stat().st_size > 1000 for path in (verdict / "pictures").iterdir())
    assert {path.name for path in verdict.glob("fishbone.*")} == {"fishbone.svg", "fishbone.png"}


# Without the leaderboard there is no SMOTENC where the categories are off: a hole with a reason.
def test_what_has_no_meaning_is_named_on_the_page(written, found):
    reasons = {run["reason"] for run in found["excluded_runs"]}
    assert len(reasons) == 1
    holes = [
        hole for effect in found["main_effects"] for hole in effect["missing_runs"]["examples"]
    ]
    assert {hole["reason"] for hole in holes} == {f"not applicable: {reasons.copy().pop()}"}
    assert reasons.pop()[:40] in written


def test_the_commands_to_do_it_again_are_on_the_page(written, found):
    launch, comparison = found["commands"]
    assert launch.startswith("retain -m ")
    assert "sampler=none,smote,smotenc" in launch
    assert comparison in written
