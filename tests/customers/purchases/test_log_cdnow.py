"""The real log of CDNOW, read as its config says, against figures counted with awk."""

from __future__ import annotations

import os

import pytest
import yaml

KNOWN = {"rows": 69_659, "customers": 23_544, "days": 546}


@pytest.fixture
def cdnow(checkout):
    """The path of the file, and the options of its config."""
    root = os.environ.get("RETAIN_DATA", checkout.parent / "shared" / "data")
    path = checkout.__class__(root) / "cdnow" / "CDNOW_master.txt"
    if not path.is_file():
        pytest.skip(f"the real log is not at {path}; set RETAIN_DATA to the folder above")
    config = (checkout / "conf" / "data" / "cdnow.yaml").read_text(encoding="utf-8")
    return path, yaml.safe_load(config)


def test_the_real_log_is_read_as_its_config_says(opened, cdnow):
    path, config = cdnow
    log = opened(
        path,
        **config["columns"],
        **config["format"] | {"columns": tuple(config["format"]["columns"])},
    )
    rows, customers = log.rows("count(*)", "count(DISTINCT customer)")[0]
    assert (rows, customers) == (KNOWN["rows"], KNOWN["customers"])
    assert log.log.last_day - log.log.first_day + 1 == KNOWN["days"]
    assert log.rows("*")[0] == ("00001", 1609459200, 1177, 1, 1)
    assert [(step.name, step.n_after) for step in log.log.funnel] == [
        ("log read", KNOWN["rows"]),
        ("duplicates", KNOWN["rows"]),
        ("zero_amount", KNOWN["rows"]),
    ]
