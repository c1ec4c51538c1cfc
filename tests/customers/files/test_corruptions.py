"""Polluted files are read rightly, each row that is left out is listed, or they are refused."""

import pytest

from retain.customers.table import read
from retain.errors import RetainError

from .corruptions import N_FILES, make_file

pytestmark = pytest.mark.slow  # hundreds of files

MIN_ACCEPTED = 0.95


def find_misreading(customers, table):
    """Return what was read otherwise than it is, silently."""
    truth = table.set_index("id")
    for name in customers.features:
        wrong = customers.features[name] != truth[name].reindex(customers.features.index)
        if wrong.any():
            row = customers.features.index[wrong.to_numpy()][0]
            return f"{name} of {row}: {customers.features.loc[row, name]!r}"
    answers = truth["churn"].reindex(customers.features.index).eq("yes").astype(int)
    if not (customers.y == answers).all():
        return "churn"
    lost = set(truth.index) - set(customers.features.index)
    n_listed = len(customers.reading.dropped_rows)
    return f"{len(lost)} rows are lost, {n_listed} listed" if len(lost) > n_listed else ""


def read_polluted(path, number):
    """Return what was wrong with a file: nothing, a refusal or a misreading."""
    content, table, pollutions = make_file(number)
    path.write_bytes(content)
    try:
        customers = read(
            path=str(path), id="id", target="churn", bad_rows="drop", bad_rows_share=0.2
        )
    except RetainError as error:
        return "refused", f"{number} {pollutions}: {error}"
    problem = find_misreading(customers, table)
    return ("misread", f"{number} {pollutions}: {problem}") if problem else ("accepted", "")


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    path = tmp_path_factory.mktemp("polluted") / "customers.csv"
    return [read_polluted(path, number) for number in range(N_FILES)]


def test_no_polluted_file_is_misread_silently(outcomes):
    assert [text for outcome, text in outcomes if outcome == "misread"] == []


def test_nearly_all_polluted_files_are_read(outcomes):
    refused = [text for outcome, text in outcomes if outcome == "refused"]
    assert len(refused) <= (1 - MIN_ACCEPTED) * N_FILES, refused
