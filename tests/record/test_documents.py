"""A document is what its class says, or is refused with the file and the place."""

import json

import pytest

from retain.errors import RetainError
from retain.record.documents import CautionInfo, parse_document, read_document, to_tree
from retain.record.qini_info import QiniInfo
from retain.record.readout_document import ByArm, ReadoutDocument


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "holds no object"),
        ("{", "is not JSON"),
        ('{"schema": 2}', "has schema 2"),
        ('{"schema": 3}', "is not a readout this version can read: key 'campaign_id' is missing"),
        ('{"schema": 3, "looks": "x"}', "."),
    ],
)
def test_what_is_no_readout_is_refused_with_its_file(tmp_path, text, message):
    path = tmp_path / "readout.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RetainError, match=message) as found:
        read_document(ReadoutDocument, path)
    assert str(path) in str(found.value)


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        ({"treatment": "5", "control": 1}, "treatment is '5'; expected integer"),
        (
            {"treatment": 5, "control": 1, "contrl": 1},
            "Did you mean 'control'",
        ),
        ({"treatment": 5}, "key 'control' is missing"),
    ],
)
def test_a_wrong_key_or_value_is_named(tree, message):
    with pytest.raises(RetainError, match=message):
        parse_document(ByArm, json.dumps(tree), "here")


def test_a_key_with_nothing_to_say_is_left_out():
    assert to_tree(QiniInfo(reason="declined")) == {"reason": "declined"}
    assert to_tree(CautionInfo.of("looks", n_looks=2)) == {"code": "looks", "n_looks": 2}
