"""The columns of the exported tables: Russian headings and codes, and what each column holds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from retain.record.estimates import DisplayName

if TYPE_CHECKING:
    import pandas as pd

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TEXTS = (Path(__file__).parent / "columns.yaml").read_text(encoding="utf-8")
COLUMNS: dict[str, dict[str, Any]] = yaml.load(_TEXTS, Loader=_LOADER)  # noqa: S506 - a safe one
"""Columns by name: heading, meaning and codes; a column without a heading keeps its name."""
RUSSIAN: dict[str, str] = {name: column["ru"] for name, column in COLUMNS.items()}
ENGLISH = {heading: name for name, heading in RUSSIAN.items()}
CODES = {
    name: {code: DisplayName(**texts) for code, texts in column["values"].items()}
    for name, column in COLUMNS.items()
    if "values" in column
}
"""Names of the codes of each column; other values of a column stay as they are."""


def translate_codes(column: pd.Series) -> pd.Series:
    """Return a column of ``CODES`` in Russian.

    >>> import pandas as pd
    >>> translate_codes(pd.Series(["treatment", None, "mine"], name="arm")).tolist()
    ['получает', None, 'mine']
    """
    import pandas as pd  # the launching process of a sweep reads the headings without it

    names = CODES[str(column.name)]
    indices, values = pd.factorize(column)
    texts = [names[str(one)].ru if str(one) in names else one for one in values]
    return pd.Series(
        [None if index < 0 else texts[index] for index in indices],
        index=column.index,
        name=column.name,
        dtype=object,
    )


def restore_codes(column: pd.Series) -> pd.Series:
    """Return a column of ``CODES`` as before ``translate_codes``, but for booleans as texts.

    >>> import pandas as pd
    >>> restore_codes(pd.Series(["получает", "mine"], name="arm")).tolist()
    ['treatment', 'mine']
    """
    codes = {text.ru: code for code, text in CODES[str(column.name)].items()}
    return column.map(lambda text: codes.get(text, text))


def column_dictionary(language: str) -> pd.DataFrame:
    """Return the columns of the tables: ``column, heading, meaning``, in a language."""
    import pandas as pd

    rows = [
        (name, name if language == "en" else one["ru"], one[f"{language}_meaning"])
        for name, one in COLUMNS.items()
    ]
    return pd.DataFrame(rows, columns=["column", "heading", "meaning"])
