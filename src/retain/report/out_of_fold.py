"""Who is scored out of fold: of a dated source the customers at the snapshots that are tested.

May import: report.names.
"""

from __future__ import annotations

from retain.report.names import Tree


def out_of_fold(tree: Tree) -> tuple[int, int]:
    """How many rows declined, and how many there are, among those the curves are drawn of.

    Rows of one snapshot or none decline as often in every fold; snapshots differ.

    >>> at = [{"snapshot": day, "rows": 10, "declined": n} for day, n in (("a", 1), ("b", 4))]
    >>> data = {"positives": 5, "rows": 20, "label": {"snapshots": at}}
    >>> out_of_fold({"data": data, "split": {"tested": ["b", "b"]}})
    (4, 10)
    """
    data, label = tree["data"], tree["data"].get("label")
    days = set(tree["split"].get("tested") or ())
    if label is None or not days:
        return data["positives"], data["rows"]
    at = [one for one in label["snapshots"] if one["snapshot"] in days]
    return sum(one["declined"] for one in at), sum(one["rows"] for one in at)


def aside(tree: Tree) -> int:
    """How many rows are neither learnt from, tested nor sealed, as their labels were still open.

    >>> at = [{"snapshot": day, "rows": 10, "declined": 1} for day in ("a", "b", "c", "d")]
    >>> split = {"tested": ["b"], "sealed_at": "d"}
    >>> aside({"data": {"label": {"snapshots": at}}, "split": split})
    10
    """
    label, split = tree["data"].get("label"), tree["split"]
    last = max(split.get("tested") or (), default=None)
    if label is None or last is None:
        return 0
    between = (
        one["rows"]
        for one in label["snapshots"]
        if last < one["snapshot"] != split.get("sealed_at")
    )
    return sum(between)
