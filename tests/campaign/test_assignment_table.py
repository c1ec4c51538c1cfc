"""The file of a campaign whose offers were partly drawn at random, written and read."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from retain.campaign.assignment_table import (
    DRAWN_FROM,
    assignment_table,
    list_possible,
    parse_table,
    total_chance,
)
from retain.errors import RetainError
from retain.verdict.export import ExportDialect, write_csv

CSV = "campaign.csv"


def make_table(**changes):
    one = np.ones(3)
    table = assignment_table(
        pd.Index(["7", "8", "9"], name="customer_id"),
        segment=np.array(["high"] * 3),
        offer=np.array(["call", "gift", "call"]),
        control=np.array([False, False, True]),
        assignment_id=np.array(["a", "b", "c"]),
        propensity=np.array([0.8, 0.4, 0.8 / 3]),
        risk=one / 2,
        value_at_stake=one,
        expected_cost=one,
        expected_net=one,
        drawn_from=np.array(["", "call|gift", "call|gift|letter"], dtype=object),
    )
    return table.assign(**changes)


def read_back(table, folder, language="en"):
    write_csv(table, folder / CSV, ExportDialect(language))
    return parse_table((folder / CSV).read_bytes(), Path(CSV), control_share=0.2)


@pytest.mark.parametrize("language", ["en", "ru"])
def test_what_a_customer_could_get_is_read_as_it_was_written(tmp_path, language):
    table = read_back(make_table(), tmp_path, language)
    assert list_possible(table) == [["call"], ["call", "gift"], ["call", "gift", "letter"]]
    assert total_chance(table).tolist() == [0.8, 0.8, 0.8]


def test_a_file_without_the_column_has_one_offer_for_each(tmp_path):
    table = read_back(make_table().drop(columns=DRAWN_FROM), tmp_path)
    assert list_possible(table) == [["call"], ["gift"], ["call"]]
    assert total_chance(table).tolist() == table["propensity"].tolist()


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"offer": ["call", "letter", "call"]}, "offers that are not among those they were drawn"),
        ({"propensity": [0.8, 0.6, 0.2]}, "propensities are above 1 in total"),
        ({"propensity": [0.8, 0.4, 1 / 3]}, "control group who could not be in it"),
    ],
)
def test_chances_that_contradict_each_other_are_refused(tmp_path, changes, problem):
    with pytest.raises(RetainError, match=problem):
        read_back(make_table(**changes), tmp_path)
