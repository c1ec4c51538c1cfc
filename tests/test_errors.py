import pytest

from retain.errors import RetainError, did_you_mean, examples, nearest


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("lightgmb", "lightgbm"), ("SVC", "svc"), ("стандартт", "стандарт"), ("qqqq", None)],
)
def test_the_nearest_name_is_found_whatever_its_case_and_script(typed, meant):
    assert nearest(typed, ["catboost", "lightgbm", "svc", "стандарт"]) == meant


def test_nothing_is_suggested_where_nothing_is_close():
    assert did_you_mean("qqqq", ["svc"]) == ""


def test_examples_are_distinct_and_counted_beyond_the_limit():
    assert examples([3, 3, 1, 2, 4, 5, 6, 7]) == "3, 1, 2, 4, 5 and 2 more"
    assert examples(["a"]) == "'a'"


def test_an_unknown_name_lists_what_there_is():
    message = str(RetainError.unknown("study", "modles", ["models", "smoke"]))
    assert message == "study 'modles' is not one of models, smoke. Did you mean 'models'?"
