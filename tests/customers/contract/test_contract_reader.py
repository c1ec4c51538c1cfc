from __future__ import annotations

import logging
import math
import re

import pandas as pd
import pytest

from retain.customers.contract.reader import read
from retain.errors import RetainError
from retain.record.estimates import DisplayName

FILE = "market_file.csv"


@pytest.fixture
def change(small_dir):
    """Change a text in one of the small files."""

    def replace(name: str, old: str, new: str, count: int = -1) -> None:
        path = small_dir / name
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, count), encoding="utf-8")

    return replace


def spec(contract, name, table="behaviour"):
    return contract["tables"][table]["columns"][name]


# --- the store's own files -----------------------------------------------------------------------


def test_the_real_files_lose_three_newcomers_and_one_outlier(one_click_dir, contract):
    customers = read(dir=str(one_click_dir), **contract)
    assert customers.describe_funnel() == "1300 → 1297 (newcomers) → 1296 (outlier)"
    assert [step.dropped for step in customers.funnel] == [(215348, 215357, 215359), (215380,)]
    assert int(customers.y.sum()) == 494
    assert len(customers.columns) == 16


def test_the_real_files_are_all_kept_when_told_so(one_click_dir, contract):
    contract["cleaning"]["newcomers"]["policy"] = "keep"
    contract["cleaning"]["outliers"]["policy"] = "keep"
    customers = read(dir=str(one_click_dir), **contract)
    assert customers.describe_funnel() == "1300 → 1300 (newcomers) → 1300 (outlier)"
    assert "3 found and kept as they are: 215348, 215357, 215359" in customers.funnel[0].reason
    assert set(customers.features["service_level"]) == {"standard", "premium"}


def test_the_encoding_of_the_files_can_be_named(small_dir, contract):
    expected = read(dir=str(small_dir), **contract).fingerprint
    for path in small_dir.iterdir():
        path.write_bytes(path.read_text(encoding="utf-8").encode("mac_cyrillic"))
    with pytest.raises(RetainError, match=r"data\.encoding=") as refused:
        read(dir=str(small_dir), **contract)
    assert "is not UTF-8" in str(refused.value)
    named = read(dir=str(small_dir), **contract, encoding="mac_cyrillic")
    assert named.fingerprint == expected
    with pytest.raises(RetainError, match=r"data\.encoding: it is 'klingon'; expected a name"):
        read(dir=str(small_dir), **contract, encoding="klingon")


def test_a_file_of_a_contract_without_names_is_told_without_a_key_that_it_lacks(
    small_dir, contract
):
    path = small_dir / "market_money.csv"
    rows = path.read_text(encoding="utf-8").splitlines()[1:]
    numbers = [f"{n},{n + 5}.5,{n * 3 + 100}" for n in range(len(rows))]
    path.write_text("\n".join(numbers) + "\n", encoding="utf-8")
    with pytest.raises(RetainError, match="no names of columns; expected the names in the first"):
        read(dir=str(small_dir), **contract)


# --- what becomes of valid files -----------------------------------------------------------------


def test_four_files_become_one_row_a_customer(small_dir, contract):
    customers = read(dir=str(small_dir), **contract)
    first = customers.features.iloc[0]
    assert customers.features.index.tolist() == list(range(101, 113))
    assert customers.features.index.name == "customer_id"
    assert customers.features.index.dtype == "int64"
    assert (first["service_level"], first["popular_category"]) == ("premium", "home_textiles")
    assert first["revenue_before_previous":"revenue_current"].tolist() == [4101.5, 4111.5, 4121.5]
    assert customers.y.tolist() == [0, 1] * 6
    assert customers.contactable.tolist() == [False, True] * 6
    assert customers.profit.iloc[0] == 1.21
    assert customers.profit_unit.en == "units of money.csv (the store does not say which)"
    assert customers.profit_unit.ru == "единицы money.csv (магазин их не назвал)"
    assert len(customers.derived_features) == 6


def test_numbers_are_floats_and_categories_are_text(small_dir, contract):
    customers = read(dir=str(small_dir), **contract)
    dtypes = {name: str(dtype) for name, dtype in customers.features.dtypes.items()}
    kinds = {name: column.kind for name, column in customers.columns.items()}
    assert {dtypes[n] for n in kinds if kinds[n] == "number"} == {"float64"}
    assert {dtypes[n] for n in kinds if kinds[n] == "category"} == {"str"}


def test_a_period_column_is_named_by_column_and_period(small_dir, contract):
    columns = read(dir=str(small_dir), **contract).columns
    assert columns["revenue_current"].en == "Revenue, current month"
    assert columns["revenue_current"].ru == "Выручка, текущий месяц"
    assert columns["minutes_previous"].group == "site"


def test_categories_and_the_target_have_their_names_from_the_contract(small_dir, contract):
    customers = read(dir=str(small_dir), **contract)
    category = customers.columns["popular_category"]
    assert category.level("kitchenware") == DisplayName("Kitchenware", "Кухонная посуда")
    assert set(customers.features["popular_category"]) <= set(category.levels)
    assert customers.columns["days_registered"].levels == {}
    assert customers.target_label == DisplayName(
        "Purchasing activity: Declined", "Покупательская активность: Снизилась"
    )


def test_names_a_contract_does_not_give_are_its_own_keys(small_dir, contract):
    target = spec(contract, "activity")
    target.update(
        en="", ru="", categories={k: {"raw": v["raw"]} for k, v in target["categories"].items()}
    )
    assert read(dir=str(small_dir), **contract).target_label == DisplayName(
        *["activity: declined"] * 2
    )
    assert read(dir=str(small_dir), has_target=False, **contract).target_label is None


def test_periods_stand_in_the_order_of_the_contract_whatever_the_rows(small_dir, contract):
    path = small_dir / "market_money.csv"
    header, *rows = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([header, *reversed(rows)]), encoding="utf-8")
    customers = read(dir=str(small_dir), **contract)
    assert customers.features["revenue_before_previous"].tolist() == [
        4000.5 + n for n in range(101, 113)
    ]


def test_a_consent_is_a_feature_only_with_a_group(small_dir, contract):
    assert "consent" in read(dir=str(small_dir), **contract).columns
    del spec(contract, "consent")["group"]
    customers = read(dir=str(small_dir), **contract)
    assert "consent" not in customers.columns
    assert customers.contactable is not None


def test_a_feature_without_a_group_is_in_group_other(small_dir, contract):
    del spec(contract, "promo_share")["group"]
    assert read(dir=str(small_dir), **contract).groups["other"] == ["promo_share"]


def test_an_id_made_a_feature_still_joins_the_tables(small_dir, contract):
    spec(contract, "customer_id")["role"] = "feature"
    customers = read(dir=str(small_dir), **contract)
    assert customers.columns["customer_id"].group == "other"
    assert customers.features["customer_id"].tolist() == list(range(101, 113))
    assert customers.features["customer_id"].dtype == "float64"


def test_an_id_made_a_feature_in_a_long_table_has_no_period(small_dir, contract):
    spec(contract, "customer_id", "minutes")["role"] = "feature"
    customers = read(dir=str(small_dir), **contract)
    assert customers.features["customer_id"].tolist() == list(range(101, 113))


def test_text_ids_stay_text(small_dir, contract):
    for table in contract["tables"].values():
        table["columns"]["customer_id"] = {"raw": "id", "role": "id", "type": "category"}
    customers = read(dir=str(small_dir), **contract)
    assert customers.features.index.dtype == "str"
    assert customers.features.index[0] == "101"


def test_whole_ids_may_be_written_as_decimals(small_dir, contract, change):
    change("money.csv", "101;", "+101,0;")
    assert read(dir=str(small_dir), **contract).features.index[0] == 101


def test_files_may_be_written_in_other_dialects(small_dir, contract):
    for path in small_dir.iterdir():
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace(",", "\t") if path.name != "money.csv" else text, "cp1251")
    assert len(read(dir=str(small_dir), **contract)) == 12


def test_a_source_without_target_profit_and_consent_is_only_scored(small_dir, contract):
    columns = contract["tables"]["behaviour"]["columns"]
    del columns["activity"], columns["consent"], contract["tables"]["profit"]
    customers = read(dir=str(small_dir), **contract)
    assert customers.target is customers.profit is customers.contactable is None
    assert customers.profit_unit is None


def test_the_unit_of_profit_is_one_text_or_a_text_by_language(small_dir, contract):
    contract["profit_unit"] = "roubles"
    assert read(dir=str(small_dir), **contract).profit_unit == "roubles"
    contract["profit_unit"] = {"en": "roubles"}
    with pytest.raises(RetainError, match="profit_unit: key 'ru' is missing"):
        read(dir=str(small_dir), **contract)


def test_unlabelled_files_need_no_target_column(small_dir, contract, change):
    change(FILE, "Покупательская активность", "Прежнее")
    assert read(dir=str(small_dir), has_target=False, **contract).target is None


def test_only_the_cleaning_that_is_named_is_done(small_dir, contract):
    contract["cleaning"] = None
    contract["derived"] = None
    customers = read(dir=str(small_dir), **contract)
    assert customers.funnel == ()
    assert customers.derived_features == ()


def test_a_column_may_be_found_by_its_other_name(small_dir, contract, change):
    change(FILE, "Длительность", "Стаж")
    spec(contract, "days_registered")["aliases"] = ["Стаж"]
    assert "days_registered" in read(dir=str(small_dir), **contract).columns


def test_columns_the_contract_does_not_name_are_told_and_left_out(small_dir, contract, caplog):
    del spec(contract, "promo_share")["raw"]
    del contract["tables"]["behaviour"]["columns"]["promo_share"]
    with caplog.at_level(logging.INFO):
        read(dir=str(small_dir), **contract)
    assert f"behaviour ({FILE}): columns not in the contract are left out: Акционные_покупки" in (
        caplog.messages
    )


def test_the_number_of_declines_is_logged(small_dir, contract, caplog):
    with caplog.at_level(logging.INFO):
        customers = read(dir=str(small_dir), **contract)
    n, total = int(customers.y.sum()), len(customers)
    where = f"where {customers.target_label.en}"
    assert f"declines: {n} of {total} ({100 * n / total:.3g} %), {where}" in caplog.messages


def test_a_nullable_column_may_have_gaps(small_dir, contract, change):
    change(FILE, "Товары для детей,3", ",3", 1)
    change(FILE, ",303,", ",,")
    spec(contract, "popular_category")["nullable"] = True
    spec(contract, "days_registered")["nullable"] = True
    features = read(dir=str(small_dir), **contract).features
    assert features["popular_category"].isna().sum() == 1
    assert math.isnan(features["days_registered"].iloc[0])


def test_a_nullable_long_table_may_lack_rows(small_dir, contract, change):
    change("market_time.csv", "101,текущий_месяц,8\n", "")
    spec(contract, "minutes", "minutes")["nullable"] = True
    features = read(dir=str(small_dir), **contract).features
    assert math.isnan(features["minutes_current"].iloc[0])
    assert features["minutes_previous"].iloc[0] == 8


def test_customers_whose_target_is_missing_are_left_out_where_it_may_be(
    small_dir, contract, change
):
    change(FILE, "101,Прежний уровень", "101,")
    spec(contract, "activity")["nullable"] = True
    customers = read(dir=str(small_dir), **contract)
    assert customers.describe_funnel().startswith("12 → 11 (no target)")
    assert customers.funnel[0].dropped == (101,)


# A customer who never answered has not agreed to be contacted.
def test_a_missing_consent_is_no_consent(small_dir, contract, change):
    change(FILE, "стандартт,да", "стандартт,", 1)
    spec(contract, "consent")["nullable"] = True
    assert read(dir=str(small_dir), **contract).contactable.sum() == 5


# Exports come in any order; whoever joins by place and not by id mixes customers up.
def test_rows_in_another_order_are_the_same_customers(small_dir, contract):
    before = read(dir=str(small_dir), **contract)
    for n, path in enumerate(sorted(small_dir.glob("*.csv"))):
        header, *rows = path.read_text(encoding="utf-8").splitlines()
        moved = sorted(rows, key=lambda row, n=n: hash((n, len(row), row[::-1])))
        path.write_text("\n".join([header, *moved, ""]), encoding="utf-8")
    after = read(dir=str(small_dir), **contract)
    assert after.fingerprint == before.fingerprint
    ids = before.features.index
    pd.testing.assert_frame_equal(after.features.loc[ids], before.features)
    pd.testing.assert_series_equal(after.profit.loc[ids], before.profit)


# Some tools write 101 as 101.0 or +101; such a file is read more slowly, and to the same ids.
def test_ids_that_are_not_digits_alone_are_the_same_ids(small_dir, contract, change):
    before = read(dir=str(small_dir), **contract).fingerprint
    change("money.csv", "101;", "101.0;")
    change("market_time.csv", "102,", "+102,")
    change(FILE, "103,", " 103 ,", 1)
    assert read(dir=str(small_dir), **contract).fingerprint == before


# --- cleaning ------------------------------------------------------------------------------------


@pytest.fixture
def unclean_dir(small_dir, change):
    """Customer 101 is a newcomer, 102 has a month far above the others."""
    change("market_money.csv", "101,препредыдущий_месяц,4101.5", "101,препредыдущий_месяц,0")
    change("market_money.csv", "102,текущий_месяц,4122.5", "102,текущий_месяц,90000")
    return str(small_dir)


def test_newcomers_and_outliers_are_dropped(unclean_dir, contract):
    customers = read(dir=unclean_dir, **contract)
    assert customers.describe_funnel() == "12 → 11 (newcomers) → 10 (outlier)"
    assert [step.dropped for step in customers.funnel] == [(101,), (102,)]
    assert customers.y.index.equals(customers.features.index)


def test_newcomers_and_outliers_are_repaired(unclean_dir, contract):
    for rule in contract["cleaning"].values():
        rule["policy"] = "repair"
    customers = read(dir=unclean_dir, **contract)
    assert customers.describe_funnel() == "12 → 12 (newcomers) → 12 (outlier)"
    assert math.isnan(customers.features.loc[101, "revenue_before_previous"])
    assert customers.features.loc[101, "revenue_current"] == 4121.5
    assert customers.features.loc[102, "revenue_current"] == (4102.5 + 4112.5) / 2
    assert "1 found and repaired: 102" in customers.funnel[1].reason


def test_newcomers_and_outliers_are_kept_and_told(unclean_dir, contract):
    for rule in contract["cleaning"].values():
        rule["policy"] = "keep"
    customers = read(dir=unclean_dir, **contract)
    assert customers.features.loc[101, "revenue_before_previous"] == 0
    assert customers.features.loc[102, "revenue_current"] == 90000
    assert "1 found and kept as they are: 101" in customers.funnel[0].reason


def test_a_newcomer_who_is_dropped_is_no_outlier_as_well(unclean_dir, contract, change):
    change("market_money.csv", "101,текущий_месяц,4121.5", "101,текущий_месяц,90000")
    change("market_money.csv", "102,текущий_месяц,90000", "102,текущий_месяц,4122.5")
    assert (
        read(dir=unclean_dir, **contract).describe_funnel() == "12 → 11 (newcomers) → 11 (outlier)"
    )


def test_where_cleaning_leaves_nobody_the_funnel_up_to_there_is_told(small_dir, contract):
    contract["cleaning"]["newcomers"]["policy"] = "keep"
    for path in small_dir.glob("market_money.csv"):
        text = path.read_text(encoding="utf-8")
        path.write_text(re.sub(r"текущий_месяц,\d+", "текущий_месяц,900000", text), "utf-8")
    message = r"no customers are left; the funnel: 12 → 12 \(newcomers\)"
    with pytest.raises(RetainError, match=message):
        read(dir=str(small_dir), **contract)


# A ratio to nothing says nothing: a customer of no earlier revenue is a newcomer, no outlier.
def test_a_customer_without_a_positive_median_is_no_outlier(small_dir, contract, change):
    for month in ("препредыдущий", "предыдущий"):
        old = 4101.5 if month == "препредыдущий" else 4111.5
        change("market_money.csv", f"101,{month}_месяц,{old}", f"101,{month}_месяц,0")
    contract["cleaning"]["newcomers"]["policy"] = "keep"
    customers = read(dir=str(small_dir), **contract)
    assert customers.describe_funnel() == "12 → 12 (newcomers) → 12 (outlier)"


def test_the_step_is_told_even_when_nobody_was_found(small_dir, contract):
    contract["cleaning"]["newcomers"]["policy"] = "keep"
    step = read(dir=str(small_dir), **contract).funnel[0]
    assert step.reason == "no positive revenue in some period; 0 found and kept as they are"


@pytest.mark.parametrize("step", ["newcomers", "outliers"])
def test_a_measure_that_does_not_exist_is_refused(small_dir, contract, step):
    contract["cleaning"][step]["measure"] = "revenu"
    text = f"cleaning.{step}.measure: measure 'revenu' is not one of .*Did you mean 'revenue'"
    with pytest.raises(RetainError, match=text):
        read(dir=str(small_dir), **contract)


def test_cleaning_away_everybody_is_refused_with_the_funnel(small_dir, contract):
    path = small_dir / "market_money.csv"
    frame = pd.read_csv(path).assign(Выручка=0)
    frame.to_csv(path, index=False)
    with pytest.raises(RetainError, match="no customers are left"):
        read(dir=str(small_dir), **contract)


# --- files that break the contract ---------------------------------------------------------------


BROKEN = {
    "a column is misspelt": (
        (FILE, "Длительность", "Длителность"),
        (
            r"behaviour \(market_file.csv\): column 'Длительность' is missing; the file has .*"
            r"Did you mean 'Длителность'"
        ),
    ),
    "the period column is missing": (
        ("market_money.csv", "Период", "Месяц"),
        r"revenue \(market_money.csv\): column 'Период' is missing; .*'Месяц'",
    ),
    "a category is unknown": (
        (FILE, "стандартт", "стандарттт"),
        (
            r"column 'Тип сервиса': 4 cells are 'стандарттт'; expected one of 'стандарт', .*"
            r"Did you mean 'стандартт'\?.*aliases"
        ),
    ),
    "a category is missing": (
        (FILE, "стандартт", ""),
        r"'Тип сервиса': 4 cells are missing \(customers 103, 106, 109, 112\)",
    ),
    "a number is too large": (
        (FILE, ",0.101,", ",1.101,"),
        r"'Акционные_покупки': 1 cell is '1.101'; expected numbers of at most 1",
    ),
    "a number is too small": (
        (FILE, ",0.101,", ",-0.1,"),
        r"'Акционные_покупки': 1 cell is '-0.1'; expected numbers of at least 0",
    ),
    "a cell is no number": (
        (FILE, ",0.101,", ",many,"),
        r"'Акционные_покупки': 1 cell is not a number: 'many'",
    ),
    "a number is infinite": (
        (FILE, ",0.101,", ",inf,"),
        r"'Акционные_покупки': 1 cell is not a number: 'inf'",
    ),
    "a whole number is not": (
        (FILE, ",303,", ",303.5,"),
        r"'Длительность': 1 cell is '303.5'; expected whole numbers",
    ),
    "an id is missing": (
        (FILE, "\n101,", "\n,"),
        r"column 'id': 1 cell is empty \('row 2'\); expected an id",
    ),
    "an id is no number": (
        (FILE, "\n101,", "\nA101,"),
        r"column 'id': 1 cell is not a whole number: 'A101'",
    ),
    "an id is out of range": (
        (FILE, "\n101,", "\n-101,"),
        r"column 'id': 1 cell is '-101'; expected numbers of at least 0",
    ),
    "an id stands twice": (
        (FILE, "\n102,", "\n101,"),
        r"behaviour .*: 1 id is repeated: 101; expected one row per customer",
    ),
    "a period of a customer stands twice": (
        ("market_time.csv", "\n101,текущий", "\n101,предыдущий"),
        r"minutes .*: 1 pair of id and period is repeated: '101 previous'",
    ),
    "tables have different customers": (
        ("money.csv", "\n101;", "\n999;"),
        r"(?s)not in profit \(money.csv\): 101; .*not in behaviour \(market_file.csv\): 999",
    ),
    "a long table has different customers": (
        ("market_money.csv", "\n112,", "\n113,"),
        r"(?s)not in revenue .*: 112.*not in behaviour .*: 113",
    ),
    "a period is misspelt": (
        ("market_time.csv", "предыдущий_месяц", "предыдуший_месяц"),
        (
            r"'Период': 12 cells are no known period: 'предыдуший_месяц'; .*"
            r"Did you mean 'предыдущий_месяц'"
        ),
    ),
    "a customer has no row of a period": (
        ("market_time.csv", "101,текущий_месяц,8\n", ""),
        r"1 customer has no row of period 'current', such as 101",
    ),
}


@pytest.mark.parametrize("flaw", BROKEN)
def test_a_file_that_breaks_the_contract_is_refused(small_dir, contract, change, flaw):
    (name, old, new), text = BROKEN[flaw]
    change(name, old, new)
    with pytest.raises(RetainError, match=text):
        read(dir=str(small_dir), **contract)


def test_a_period_no_row_belongs_to_is_refused(small_dir, contract):
    path = small_dir / "market_time.csv"
    rows = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join(row for row in rows if "предыдущий" not in row), encoding="utf-8")
    with pytest.raises(RetainError, match=r"no row of period 'previous', only 'текущий_месяц'"):
        read(dir=str(small_dir), **contract)


def test_periods_that_are_all_empty_are_refused(small_dir, contract, change):
    for month in ("предыдущий", "текущий"):
        change("market_time.csv", f"{month}_месяц", "")
    with pytest.raises(RetainError, match="'Период': 24 cells are empty; expected one of"):
        read(dir=str(small_dir), **contract)


def test_every_broken_value_of_a_file_is_told_at_once(small_dir, contract, change):
    change(FILE, ",0.101,", ",7,")
    change(FILE, "премиум", "прима")
    with pytest.raises(RetainError, match=r"'Тип сервиса': .*\n.*'Акционные_покупки': .*at most 1"):
        read(dir=str(small_dir), **contract)


def test_a_missing_or_empty_file_is_refused(small_dir, contract):
    (small_dir / "money.csv").write_bytes(b"")
    with pytest.raises(RetainError, match=r"money\.csv' is empty"):
        read(dir=str(small_dir), **contract)
    (small_dir / "money.csv").rename(small_dir / "many.csv")
    with pytest.raises(RetainError, match=r"'money\.csv' is not in folder .*mean 'many\.csv'"):
        read(dir=str(small_dir), **contract)


# --- contracts that contradict themselves --------------------------------------------------------


def _second_target(contract):
    spec(contract, "consent")["role"] = "target"


def _number_target(contract):
    spec(contract, "activity")["type"] = "number"


def _no_id(contract):
    contract["tables"] = {"behaviour": contract["tables"]["behaviour"]}
    spec(contract, "customer_id")["role"] = "feature"


def _empty_vocabulary(contract):
    spec(contract, "service_level")["categories"] = {}


def _double_alias(contract):
    spec(contract, "service_level")["categories"]["premium"]["aliases"] = ["стандарт"]


def _wrong_positive(contract):
    spec(contract, "activity")["positive"] = "decline"


def _third_answer(contract):
    spec(contract, "activity")["categories"]["more"] = {"raw": "Выросла"}


def _unnamed_period(contract):
    del contract["tables"]["minutes"]["period"]["names"]["current"]


def _unknown_period(contract):
    contract["tables"]["minutes"]["period"]["names"]["curent"] = ["x"]


def _double_period(contract):
    contract["tables"]["minutes"]["period"]["names"]["current"] = ["предыдущий_месяц"]


def _long_profit(contract):
    spec(contract, "minutes", "minutes")["role"] = "profit"
    del contract["tables"]["profit"]


def _mixed_ids(contract):
    spec(contract, "customer_id", "profit")["type"] = "category"


def _double_name(contract):
    contract["tables"]["profit"]["columns"]["promo_share"] = {
        "raw": "x",
        "role": "feature",
        "type": "number",
    }


def _no_features(contract):
    contract["tables"] = {"profit": contract["tables"]["profit"]}


def _no_tables(contract):
    contract["tables"] = {}


def _unknown_key(contract):
    spec(contract, "promo_share")["mni"] = 0


def _unknown_part(contract):
    contract["derived"]["revenue_ratio"]["of"] = ["revenue_curent", "service_level"]


def _three_parts(contract):
    contract["derived"]["revenue_ratio"]["of"] *= 2


def _one_part(contract):
    contract["derived"]["revenue_trend"]["of"] = ["revenue_current"]


def _known_name(contract):
    contract["derived"]["promo_share"] = contract["derived"]["revenue_ratio"]


@pytest.mark.parametrize(
    ("spoil", "text"),
    [
        (
            _second_target,
            r"role target is given to tables\.behaviour\.columns\.activity, .*consent",
        ),
        (_number_target, r"activity\.type is 'number'; expected category for role target"),
        (_no_id, r"tables\.behaviour\.columns: no column has role id; expected exactly one"),
        (_empty_vocabulary, r"service_level\.categories is empty"),
        (_double_alias, r"service_level: 'стандарт' stands for both 'standard' and 'premium'"),
        (_wrong_positive, r"positive is 'decline'; .*declined, same\. Did you mean 'declined'"),
        (_third_answer, r"activity\.categories names 3 values; expected exactly two"),
        (_unnamed_period, r"tables\.minutes\.period\.names\.current is missing"),
        (_unknown_period, r"period 'curent' is not one of current, previous. .*mean 'current'"),
        (_double_period, r"tables\.minutes\.period: a period stands twice"),
        (_long_profit, r"tables\.minutes has a period and a column of role profit"),
        (_mixed_ids, r"whole numbers in some tables but not in profit\.customer_id"),
        (_double_name, r"both become feature 'promo_share'"),
        (_no_features, r"tables name no column of role feature"),
        (_no_tables, r"tables: it is empty; expected at least one"),
        (_unknown_key, r"promo_share: key 'mni' is unknown. Did you mean 'min'"),
        (
            _unknown_part,
            r"(?s)'revenue_curent' is not one of .*mean 'revenue_current'.*'service_le",
        ),
        (_three_parts, r"derived\.revenue_ratio\.of names 4 features; expected exactly 2"),
        (_one_part, r"derived\.revenue_trend\.of names 1 features; expected at least 2"),
        (_known_name, r"derived\.promo_share: a feature of that name exists"),
    ],
)
def test_a_contract_that_contradicts_itself_is_refused(small_dir, contract, spoil, text):
    spoil(contract)
    with pytest.raises(RetainError, match=text):
        read(dir=str(small_dir), **contract)
