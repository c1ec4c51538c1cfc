"""What other definitions of a decline would have made of the same customers, as a table.

May import: customers.purchases.definitions.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from retain.customers.purchases.definitions import Definition


def table_of(definitions: Sequence[Definition], counts: Sequence[int]) -> pd.DataFrame:
    """A row a definition: ``parameter, value, rows, declined, agreement``.

    ``declined`` is the share of the rows that are regular by it, ``agreement`` the share with the
    target of the chosen definition among those regular by both; NaN where there are none.

    >>> one = Definition("horizon", "30", 2, "orders_180", "")
    >>> list(table_of([one], [10, 4, 8, 6]).itertuples(index=False, name=None))
    [('horizon', '30', 10, 0.4, 0.75)]
    """
    rows = [
        (one.parameter, one.value, total, _share(declined, total), _share(agreed, shared))
        for one, (total, declined, shared, agreed) in zip(
            definitions, zip(*(counts[n::4] for n in range(4)), strict=True), strict=True
        )
    ]
    return pd.DataFrame(rows, columns=["parameter", "value", "rows", "declined", "agreement"])


def _share(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")
