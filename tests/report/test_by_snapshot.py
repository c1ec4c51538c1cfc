"""The page of a dated source counts customers at snapshots, and says which it speaks of."""

import re

from retain.report.charts.canvas import Labels
from retain.report.charts.curves import curve
from retain.report.page.page import page
from retain.report.tree import out_of_fold

from .trees import reading_trees

curve = reading_trees(curve)
page = reading_trees(page)
out_of_fold = reading_trees(out_of_fold)


def text_of(html):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", html))


def test_the_customers_of_a_curve_are_those_of_the_snapshots_tested(tree):
    assert out_of_fold(tree["data"], tree["split"]) == (123, 311)
    text = text_of(page(tree, "en"))
    assert "123 of the 311 customers at the tested snapshots declined" in text
    assert "123 из 311 (клиент считается на каждом срезе)" in text


def test_blind_picking_is_drawn_where_the_tested_snapshots_have_it(tree):
    chart = curve("precision_recall", tree, Labels("en"))
    (axes,) = chart.figure.axes
    levels = [tuple(line.get_ydata()) for line in axes.lines if len(line.get_ydata()) == 2]
    assert (123 / 311, 123 / 311) in levels


def test_every_customer_of_the_funnel_is_learnt_from_tested_sealed_or_left_aside(tree):
    text = text_of(page(tree, "en"))
    assert "77 more are at snapshots between these and the latest" in text


# A customer of the latest snapshot may have been met at earlier ones.
def test_only_customers_of_no_other_snapshot_are_new_to_the_model(tree):
    text = text_of(page(tree, "en"))
    assert "of two customers at the latest snapshot, one who declined" in text
    assert "that the model never saw" not in text
    tree["by_snapshot"] = []
    assert "of two customers that the model never saw" in text_of(page(tree, "en"))


def test_a_source_of_one_row_a_customer_speaks_of_customers(tree):
    tree["by_snapshot"], tree["data"]["label"] = [], None
    del tree["split"]["test_snapshots"]
    text = text_of(page(tree, "en"))
    assert "494 of 1,296 customers declined" in text
    assert "at each snapshot" not in text
    assert "more are at snapshots" not in text


def test_the_units_of_the_funnel_are_said_in_both_languages(tree):
    tree["data"]["funnel"][0]["unit"] = "customers at snapshots"
    text = text_of(page(tree, "en"))
    assert "customers at snapshots" in text
    assert "клиенты на датах среза" in text
