"""One table in two hundred dialects is read as the same table, or refused with a way on."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from dialects import WrittenDialect, make_dialects, make_truth, write_file

from retain.customers.files.columns import snake_case
from retain.customers.table import read
from retain.errors import RetainError

N_DIALECTS = 200
MIN_READ = 180


def find_misreadings(customers, dialect: WrittenDialect) -> list[str]:
    """Columns whose cells are not those of the true table."""
    truth, (header, cities, _, _) = make_truth(), dialect.words
    days = [(day - dt.date(1970, 1, 1)).days for day in truth["since"]]
    expected = {"total": truth["total"], "visits": truth["visits"], "share": truth["share"]}
    expected["since"] = days
    wrong = [
        name
        for name, values in expected.items()
        if name not in customers.columns
        or customers.features[name].dtype != np.float64
        or not np.array_equal(customers.features[name], np.asarray(values, dtype=float))
    ]
    key = snake_case(header)
    if key not in customers.columns or customers.features[key].tolist() != [
        cities[n] for n in truth["city"]
    ]:
        wrong.append(header)
    if customers.y.tolist() != (1 - truth["answer"]).tolist():
        wrong.append("target")
    return wrong


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """What reading each dialect gave: a refusal, or the columns that were misread."""
    found = {}
    for dialect in make_dialects(N_DIALECTS):
        folder = tmp_path_factory.mktemp("dialect")
        _, _, target, (yes, _) = dialect.words
        path = write_file(dialect, folder)
        try:
            customers = read(path=str(path), id="id", target=target, positive=yes)
            found[dialect] = find_misreadings(customers, dialect)
        except RetainError as error:
            found[dialect] = str(error)
    return found


def test_no_dialect_is_misread_in_silence(answers):
    assert {one: wrong for one, wrong in answers.items() if isinstance(wrong, list) and wrong} == {}


def test_nine_in_ten_dialects_are_read_unaided(answers):
    refused = {one: text for one, text in answers.items() if isinstance(text, str)}
    assert len(answers) - len(refused) >= MIN_READ, refused
