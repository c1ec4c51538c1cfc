"""The demo data are reproducible, carry the flaws of the real files and behave like them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from scipy.stats import ks_2samp
from sklearn.compose import make_column_transformer
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC

from retain.customers import demo
from retain.errors import RetainError

CONTRACT = Path(__file__).parents[2] / "conf" / "data" / "contract" / "one_click.yaml"
FILES = ("market_file.csv", "market_money.csv", "market_time.csv", "money.csv")
NAMES = [
    *("id", "activity", "service", "consent", "marketing_6", "marketing", "days", "promo"),
    *("category", "categories", "unpaid", "errors", "pages"),
]
MONTHS = {
    "препредыдущий_месяц": 2,
    "предыдущий_месяц": 1,
    "предыдцщий_месяц": 1,
    "текущий_месяц": 0,
}
CATEGORIES = ["service", "consent", "category"]
SIZES = [60, 1300, 5000]
MODELS = {
    "logistic": LogisticRegression(max_iter=1000),
    "svc": SVC(),
    "extra_trees": ExtraTreesClassifier(100, min_samples_leaf=2, random_state=0),
}

# --- reading, with nothing of the package ------------------------------------------------------


def raw(folder: Path) -> pd.DataFrame:
    """The four files side by side, in the order of the first."""
    table = pd.read_csv(folder / "market_file.csv").set_axis(NAMES, axis=1).set_index("id")
    for file, stem in (("market_money.csv", "revenue"), ("market_time.csv", "minutes")):
        long = pd.read_csv(folder / file).set_axis(["id", "month", stem], axis=1)
        long["month"] = long["month"].map(MONTHS)
        wide = long.pivot(index="id", columns="month")[stem]  # noqa: PD010 - refuses duplicates
        table = table.join(wide.add_prefix(f"{stem}_"))
    profit = pd.read_csv(folder / "money.csv", sep=";", decimal=",", index_col="id")
    return table.join(profit.set_axis(["profit"], axis=1))


def clean(folder: Path) -> tuple[pd.DataFrame, pd.Series, pd.Series]:
    """Sixteen features, the target and the twins, without newcomers and outliers."""
    table = raw(folder)
    usual = table["revenue_1"] > 0
    usual &= table["revenue_0"] < 10 * table[["revenue_1", "revenue_2"]].median(axis=1)
    table = table[usual].replace({"service": {"стандартт": "стандарт"}})
    twins = table.groupby(
        ["revenue_0", "revenue_1", "revenue_2", "minutes_0", "minutes_1"]
    ).ngroup()
    return (
        table.drop(columns=["activity", "profit"]),
        (table["activity"] == "Снизилась").astype(int),
        twins,
    )


def model(name: str) -> Pipeline:
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    columns = make_column_transformer((encoder, CATEGORIES), remainder=StandardScaler())
    return make_pipeline(columns, MODELS[name])


def auc(
    name: str, train: tuple[pd.DataFrame, pd.Series], test: tuple[pd.DataFrame, pd.Series]
) -> float:
    fitted = model(name).fit(*train)
    decide = getattr(fitted, "decision_function", None) or (lambda x: fitted.predict_proba(x)[:, 1])
    return float(roc_auc_score(test[1], decide(test[0])))


def cross_validated(name: str, folder: Path, repeats: int = 2) -> float:
    """The mean ROC-AUC of stratified five-fold cross-validation, twins in one fold."""
    x, y, twins = clean(folder)
    scores = [
        auc(name, (x.iloc[train], y.iloc[train]), (x.iloc[test], y.iloc[test]))
        for seed in range(repeats)
        for train, test in StratifiedGroupKFold(5, shuffle=True, random_state=seed).split(
            x, y, twins
        )
    ]
    return float(np.mean(scores))


def transported(name: str, train: Path, test: Path) -> float:
    """The ROC-AUC on the customers of ``test`` of a model fitted to those of ``train``."""
    return auc(name, clean(train)[:2], clean(test)[:2])


def distances(one: Path, other: Path) -> pd.Series:
    """For each feature the Kolmogorov–Smirnov distance; for categories the widest gap of shares."""
    a, b = clean(one)[0], clean(other)[0]
    gap = {
        name: a[name]
        .value_counts(normalize=True)
        .sub(b[name].value_counts(normalize=True))
        .abs()
        .max()
        if name in CATEGORIES
        else ks_2samp(a[name], b[name], method="asymp").statistic
        for name in a
    }
    return pd.Series(gap)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A folder of demo files for a number of customers, written once."""

    @cache
    def folder(customers: int, seed: int = 0) -> Path:
        path = tmp_path_factory.mktemp(f"demo-{customers}-{seed}-")
        demo.write(path, customers=customers, seed=seed)
        return path

    return folder


# --- the files ---------------------------------------------------------------------------------


def test_the_same_seed_writes_the_same_bytes(folders: Any, tmp_path: Path) -> None:
    demo.write(tmp_path, customers=60, seed=0)
    for file in FILES:
        assert (tmp_path / file).read_bytes() == (folders(60) / file).read_bytes()


def test_another_seed_writes_other_customers(folders: Any) -> None:
    assert not raw(folders(60)).equals(raw(folders(60, seed=1)))


def test_too_few_customers_are_refused(tmp_path: Path) -> None:
    with pytest.raises(
        RetainError, match=r"data\.customers: it is 39; expected a whole number, 40 or more"
    ):
        demo.write(tmp_path, customers=39)


def test_a_negative_seed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RetainError, match=r"data\.seed: it is -1; expected a whole number"):
        demo.write(tmp_path, seed=-1)


@pytest.mark.parametrize("customers", SIZES)
def test_every_size_has_each_customer_in_each_table_and_period(
    folders: Any, customers: int
) -> None:
    table = raw(folders(customers))
    assert len(table) == customers
    assert table.index.is_unique
    assert not table.isna().any(axis=None)


def test_the_files_are_written_as_the_store_writes_them(folders: Any) -> None:
    texts = {file: (folders(1300) / file).read_bytes().decode("utf-8") for file in FILES}
    for text in texts.values():
        assert text.count("\r\n") == text.count("\n")
    assert texts["market_file.csv"].startswith("id,Покупательская активность,Тип сервиса,")
    assert texts["money.csv"].startswith("id;Прибыль\r\n")
    assert "." not in texts["money.csv"]
    revenue = pd.read_csv(folders(1300) / "market_money.csv", dtype=str)["Выручка"]
    assert revenue.str.fullmatch(r"\d+\.\d").all()


def test_headers_values_and_types_are_those_of_the_real_files(folders: Any, real: Path) -> None:
    for file in FILES:
        made, given = (
            (path / file).read_bytes().splitlines(keepends=True) for path in (folders(1300), real)
        )
        assert made[0] == given[0]
        assert len(made) == len(given)
    one, other = raw(folders(1300)), raw(real)
    assert one.dtypes.equals(other.dtypes)
    for name in ["activity", *CATEGORIES]:
        assert set(one[name]) == set(other[name])


# --- the flaws ---------------------------------------------------------------------------------


@pytest.mark.parametrize("customers", SIZES)
def test_the_time_table_misnames_the_previous_month_in_all_rows(
    folders: Any, customers: int
) -> None:
    months = pd.read_csv(folders(customers) / "market_time.csv")["Период"].value_counts()
    assert months.to_dict() == {"предыдцщий_месяц": customers, "текущий_месяц": customers}


@pytest.mark.parametrize("customers", SIZES)
def test_the_service_level_is_misspelt_in_one_row_of_130(folders: Any, customers: int) -> None:
    wrong = raw(folders(customers))["service"].eq("стандартт").sum()
    assert wrong == max(1, round(customers / 130))


@pytest.mark.parametrize("customers", SIZES)
def test_outliers_earn_about_twenty_times_their_usual_month(folders: Any, customers: int) -> None:
    table = raw(folders(customers))
    usual = table[["revenue_1", "revenue_2"]].mean(axis=1)
    times = (table["revenue_0"] / usual)[usual > 0]
    assert (times > 10).sum() == max(1, round(customers / 1300))
    assert times[times > 10].between(17, 22).all()


@pytest.mark.parametrize("customers", SIZES)
def test_newcomers_have_no_earlier_revenue_and_few_days(folders: Any, customers: int) -> None:
    table = raw(folders(customers))
    newcomers = table[(table["revenue_1"] == 0) | (table["revenue_2"] == 0)]
    assert len(newcomers) == max(1, round(3 * customers / 1300))
    assert (newcomers[["revenue_1", "revenue_2", "promo"]] == 0).all(axis=None)
    assert newcomers["days"].between(110, 154).all()


@pytest.mark.parametrize("customers", SIZES)
def test_rows_are_sorted_by_label_in_six_runs(folders: Any, customers: int) -> None:
    declined = raw(folders(customers))["activity"].eq("Снизилась")
    assert declined.ne(declined.shift()).sum() == 6
    assert roc_auc_score(declined, -declined.index.to_numpy()) == pytest.approx(0.982, abs=0.02)
    assert declined.mean() == pytest.approx(498 / 1300, abs=0.02)


@pytest.mark.parametrize("customers", SIZES)
def test_a_quarter_gave_no_consent(folders: Any, customers: int) -> None:
    assert raw(folders(customers))["consent"].eq("нет").mean() == pytest.approx(0.26, abs=0.03)


@pytest.mark.parametrize("customers", SIZES)
def test_a_block_of_customers_stands_again_at_a_fixed_offset(folders: Any, customers: int) -> None:
    one, two = pairs(raw(folders(customers)))
    assert len(one) == max(2, round(21 * customers / 1300))
    for block in (one, two):
        assert (np.diff(block.index) == 1).all()
    assert set(two.index - one.index) == {round(210 * customers / 1300)}


@pytest.mark.parametrize("customers", SIZES)
def test_copies_flip_the_label_first_and_then_differ_in_one_or_two_columns(
    folders: Any, customers: int
) -> None:
    one, two = pairs(raw(folders(customers)))
    differs = one.reset_index(drop=True).ne(two.reset_index(drop=True))
    flipped = differs["activity"]
    assert flipped.is_monotonic_decreasing
    assert 1 <= (~flipped).sum() < len(one)
    if customers > 60:
        assert flipped.mean() == pytest.approx(0.43, abs=0.01)
    columns = differs.drop(columns="activity").sum(axis=1)
    assert columns[~flipped].between(1, 2).all()
    assert columns[flipped].between(2, 8).all()


def pairs(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Customers who stand twice by revenue and minutes: the first rows and the second."""
    same = ["revenue_0", "revenue_1", "revenue_2", "minutes_0", "minutes_1"]
    return table[table.duplicated(same, keep="last")], table[table.duplicated(same)]


def test_the_source_reads_its_files_under_the_contract_of_the_store() -> None:
    contract = yaml.safe_load(CONTRACT.read_text("utf-8"))
    customers = demo.read(customers=1300, seed=0, **contract)
    assert customers.describe_funnel() == "1300 → 1297 (newcomers) → 1296 (outlier)"
    assert customers.features.shape == (1296, 16)
    assert customers.y.sum() == 498 - 4  # newcomers and the outlier declined


# --- the figures -------------------------------------------------------------------------------


def lists(node: Any) -> Iterator[list[Any]]:
    if isinstance(node, dict):
        for inner in node.values():
            yield from lists(inner)
    elif isinstance(node, list):
        yield node
        for inner in node:
            yield from lists(inner)


def test_the_figures_are_aggregates_and_say_how_they_were_measured() -> None:
    path = Path(demo.__file__).with_name("demo_figures.json")
    figures = json.loads(path.read_text("utf-8"))
    assert path.stat().st_size < 60_000
    assert "experiments/demo/measure.py" in figures["source"]
    assert set(figures) == {"source", "files", "classes", "features", "quirks", "cells"}
    for cell in [*figures["cells"]["declined"], *figures["cells"]["same"]]:
        assert set(cell) == {"correlation", "marginals"}
        assert set(cell["marginals"]) == set(figures["features"])
        for marginal in cell["marginals"].values():
            assert set(marginal) in ({"values", "up_to"}, {"quantiles"})
            # a distribution lists its values in order, which no column of customers does
            (result, *shares) = marginal.values()
            assert result == sorted(result)
            assert all(share == sorted(share) and share[-1] == 1 for share in shares)
        # correlations of pairs of features, below the diagonal
        assert [len(row) for row in cell["correlation"]] == list(range(1, len(figures["features"])))
        assert all(abs(value) < 1 for row in cell["correlation"] for value in row)
    # no list is as long as even half of the smallest group measured
    assert max(map(len, lists(figures))) < 50


# --- fidelity ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def real(one_click_dir: Path) -> Path:
    return one_click_dir


def test_each_feature_is_distributed_as_in_the_real_data(folders: Any, real: Path) -> None:
    apart = distances(folders(1300), real)
    assert len(apart) == 16
    assert apart.max() <= 0.05, apart.nlargest(3)


@pytest.mark.parametrize("name", MODELS)
def test_a_model_of_the_demo_data_works_on_the_real_data(
    folders: Any, real: Path, name: str
) -> None:
    assert transported(name, folders(1300), real) >= 0.89


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_the_demo_data_are_as_hard_as_the_real_data(folders: Any, real: Path, name: str) -> None:
    given = cross_validated(name, real, repeats=1)
    assert cross_validated(name, folders(1300), repeats=1) == pytest.approx(given, abs=0.03)
