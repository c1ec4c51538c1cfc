"""One table in two hundred dialects is read as the same table, or refused with a way on."""

from __future__ import annotations

import pytest

from retain.customers.table import read
from retain.errors import RetainError

from .dialects import find_misreadings, make_dialects, write_file

pytestmark = pytest.mark.slow  # hundreds of files

N_DIALECTS = 200
MIN_READ = 180


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
