import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from retain.errors import RetainError
from retain.verdict.model_file import load, save


class Stranger(LogisticRegression):
    """A class no list names."""


@pytest.fixture
def fitted():
    X, y = np.random.default_rng(0).normal(size=(60, 3)), np.arange(60) % 2
    return X, LogisticRegression().fit(X, y)


def test_a_model_reads_back_with_the_same_bits(tmp_path, fitted):
    X, model = fitted
    digest = save(model, tmp_path / "model.skops")
    again = load(tmp_path / "model.skops", digest)
    assert (again.predict_proba(X) == model.predict_proba(X)).all()


def test_a_file_the_verdict_does_not_speak_of_is_refused(tmp_path, fitted):
    path = tmp_path / "model.skops"
    digest = save(fitted[1], path)
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(RetainError, match="the hash differs"):
        load(path, digest)
    with pytest.raises(RetainError, match="there is no file"):
        load(tmp_path / "gone.skops", digest)


def test_a_type_that_no_list_names_is_refused(tmp_path, fitted):
    X, _ = fitted
    model = Pipeline([("model", Stranger().fit(X, np.arange(60) % 2))])
    digest = save(model, tmp_path / "model.skops")
    with pytest.raises(RetainError, match=r"types that are not trusted.*Stranger"):
        load(tmp_path / "model.skops", digest)
