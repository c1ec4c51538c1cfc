"""Where plug-ins are found, and what is said of those that are not."""

import pytest

from retain.errors import RetainError
from retain.plugins import registry

RULE = """
from retain import plugins

@plugins.offer_rule("{name}")
def {name}(features, risk, profit):
    return risk > 0.5
"""


def test_a_module_that_the_variable_names(plugin_file):
    plugin_file("some_rules", RULE.format(name="risky"))
    found = registry.find("offer rule", "risky")
    assert (found.module, found.package, found.is_shared) == ("some_rules", "some_rules", True)
    assert registry.find_path("some_rules.risky") == found
    assert found in registry.plugins("offer rule")
    assert len(found.version) == 12


def test_the_version_changes_with_the_code(plugin_file, tmp_path):
    plugin_file("changing", RULE.format(name="early"))
    found = registry.find("offer rule", "early")
    before = found.version
    with (tmp_path / "modules" / "changing.py").open("a", encoding="utf-8") as file:
        file.write("# a change\n")
    assert found.version != before


def test_a_module_that_cannot_be_imported_disturbs_nobody_else(plugin_file):
    plugin_file("broken_rules", "1 / 0")
    plugin_file("good_rules", RULE.format(name="good"))
    assert registry.find("offer rule", "good") is not None
    assert "ZeroDivisionError" in registry.broken()["broken_rules"]
    with pytest.raises(RetainError, match=r"no model 'x' is registered.*broken_rules could not be"):
        registry.require("model", "x", "model")


@pytest.mark.parametrize("text", ["raise SystemExit(3)", "import nowhere_to_be_found"])
def test_a_module_that_ends_the_process_or_imports_nothing(plugin_file, text):
    plugin_file("strange_rules", text)
    assert "strange_rules" in registry.broken()


def test_what_is_not_registered_names_the_nearest(plugin_file):
    plugin_file("more_rules", RULE.format(name="unhappy"))
    with pytest.raises(RetainError, match=r"registered are .*'unhappy'.*Did you mean 'unhappy'"):
        registry.require("offer rule", "unhapy", "offers.offers.call.include_if.plugin")


def test_plugins_in_a_config(plugin_file):
    plugin_file(
        "seen",
        """
from retain import plugins

@plugins.metric("seen", higher_is_better=True)
def seen(target, probability):
    return 0.5
""",
    )
    config = {
        "model": {"_target_": "sklearn.svm.SVC"},
        "calibration": {"method": None},
        "metrics": {"plugins": ["seen"]},
        "features": {"plugins": ["nowhere"]},
    }
    assert [one.name for one in registry.used_by(config)] == ["seen"]
