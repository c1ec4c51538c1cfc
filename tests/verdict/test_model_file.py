import zipfile

import numpy as np
import pytest
from lightgbm import LGBMClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.tree import DecisionTreeClassifier

from retain.errors import RetainError
from retain.storage.writing import hash_file
from retain.verdict.model_file import load_model, save_model


class Stranger(LogisticRegression):
    """A class no list names."""


@pytest.fixture
def fitted():
    X, y = np.random.default_rng(0).normal(size=(60, 3)), np.arange(60) % 2
    return X, LogisticRegression().fit(X, y)


def test_a_model_reads_back_with_the_same_bits(tmp_path, fitted):
    X, model = fitted
    digest = save_model(model, tmp_path / "model.skops")
    again = load_model(tmp_path / "model.skops", digest)
    assert (again.predict_proba(X) == model.predict_proba(X)).all()


def test_a_file_the_verdict_does_not_speak_of_is_refused(tmp_path, fitted):
    path = tmp_path / "model.skops"
    digest = save_model(fitted[1], path)
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(RetainError, match=r"is not the file verdict\.json speaks of"):
        load_model(path, digest)
    with pytest.raises(RetainError, match="there is no file"):
        load_model(tmp_path / "gone.skops", digest)


def test_a_type_that_no_list_names_is_refused(tmp_path, fitted):
    X, _ = fitted
    model = Pipeline([("model", Stranger().fit(X, np.arange(60) % 2))])
    digest = save_model(model, tmp_path / "model.skops")
    with pytest.raises(RetainError, match=r"types that are not trusted.*Stranger"):
        load_model(tmp_path / "model.skops", digest)


def test_a_part_whose_bytes_changed_is_refused_though_the_hash_of_the_whole_agrees(tmp_path):
    path = tmp_path / "model.skops"
    model = DecisionTreeClassifier().fit(np.arange(40).reshape(-1, 1), np.arange(40) % 2)
    save_model(model, path)
    raw = bytearray(path.read_bytes())
    raw[raw.index(b"NUMPY") + 200] ^= 1
    path.write_bytes(raw)
    with pytest.raises(RetainError, match="cannot be read as a model: Bad CRC-32"):
        load_model(path, hash_file(path))


def test_a_booster_that_lightgbm_cannot_read_is_refused(tmp_path, fitted):
    path, X = tmp_path / "model.skops", fitted[0]
    model = Pipeline([("model", LGBMClassifier(n_estimators=2, verbose=-1))])
    save_model(model.fit(X, np.arange(60) % 2), path)
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, part in parts.items():
            archive.writestr(name, part.replace(b"feature_names=Column_0 ", b"feature_names="))
    with pytest.raises(RetainError, match="cannot be read as a model: Wrong size of feature_names"):
        load_model(path, hash_file(path))


def test_an_array_whose_header_ends_within_a_statement_is_refused(tmp_path, fitted):
    path = tmp_path / "model.skops"
    save_model(fitted[1], path)
    with zipfile.ZipFile(path) as whole:
        members = {name: whole.read(name) for name in whole.namelist()}
    with zipfile.ZipFile(path, "w") as changed:
        for name, raw in members.items():
            changed.writestr(name, raw.replace(b"}", b"(") if name.endswith(".npy") else raw)
    with pytest.raises(RetainError, match="cannot be read as a model"):
        load_model(path, hash_file(path))
