"""Checks of the audit; each returns an outcome with a message."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np

from retain.customers.checks import univariate_auc
from retain.customers.checks.data_check import (
    DataCheck,
    Folding,
    drop_hint,
    feature_aucs,
    known_target,
)
from retain.customers.checks.duplicates import find_duplicates
from retain.customers.checks.label_audit import compare_periods, find_successive_periods
from retain.customers.checks.match_model import Floats
from retain.customers.checks.strong_feature import FEATURE_AUC, strong_feature
from retain.customers.checks.univariate_auc import (
    Numbers,
    UnivariateAuc,
    auc_of_codes,
    rank_codes,
)
from retain.customers.customers import Customers
from retain.errors import NotApplicable, RetainError

ORDER_AUC = 0.60
"""Ids and file order carry no information; without a leak their AUC is close to .5."""
FOLD_SPREAD, FOLD_CHI_SQUARE = 0.25, 24.5
"""Largest spread of decline rates between unshuffled folds, and the chi-square of five folds (4
degrees of freedom) with p = 6e-5. They find blocks of labels that an AUC misses."""
N_FOLDS = 5


def id_predicts_target(customers: Customers, _: Folding) -> DataCheck:
    """Check that the id does not predict the target; harmless unless a feature repeats the id.

    The id itself is never a feature. A feature that is monotone in a harmless id, such as the
    registration date, is allowed.
    """
    code, target = "id_predicts_target", known_target(customers)
    auc = auc_of_codes(rank_codes(customers.features.index), target)
    copies = univariate_auc.find_id_copies(customers)
    values = {"auc": auc.separation, "higher": auc.auc > 0.5, "features": tuple(copies)}
    message = f"the id alone tells who declined with {_describe_auc(auc, 'ids')}"
    if not auc.exceeds(ORDER_AUC):
        message = f"the id does not tell who declined (AUC {auc.separation:.2f})"
    if copies:
        message = f"{message}; {_describe_repeats(copies)} the id and must be left out"
        is_repeated = any(univariate_auc.is_id(customers, name) for name in copies)
        is_severe = is_repeated or auc.exceeds(ORDER_AUC)
        return DataCheck(code, "failed", message, values, is_severe=is_severe)
    if not auc.exceeds(ORDER_AUC):
        return DataCheck(code, "passed", message, values)
    message = f"{message}; the id is no feature, so no model sees it"
    return DataCheck(code, "mitigated", message, values)


def order_predicts_target(customers: Customers, folding: Folding) -> DataCheck:
    """Check that the file is not sorted by the target, or that folds are shuffled.

    Rows of a dated source are sorted by id and day, so the check does not apply to them.
    """
    if customers.panel is not None:
        raise NotApplicable("rows are in the order of ids and days, whatever that of the log")
    code, target = "order_predicts_target", known_target(customers)
    auc = auc_of_codes(np.arange(len(target)), target)
    parts = np.array_split(target, N_FOLDS)
    shares = np.array([part.mean() for part in parts])
    values = {"auc": auc.separation, "higher": auc.auc > 0.5, "shares": tuple(shares.tolist())}
    unshuffled = ", ".join(f"{share:.2f}" for share in shares)
    folds = f"unshuffled, {N_FOLDS} folds would hold shares of declined of {unshuffled}"
    if not (auc.exceeds(ORDER_AUC) or _is_uneven(parts, shares)):
        message = f"the order of the file does not tell who declined (AUC {auc.separation:.2f})"
        return DataCheck(code, "passed", f"{message}; {folds}", values)
    direction = _describe_auc(auc, "rows", "later", "earlier")
    message = f"the order of the file alone tells who declined with {direction}; {folds}"
    if folding.is_shuffled:
        return DataCheck(code, "mitigated", f"{message}; folds are shuffled", values)
    message = f"{message}; shuffle them with validation.shuffle=true"
    return DataCheck(code, "failed", message, values, is_severe=True)


def duplicate_customers(customers: Customers, folding: Folding) -> DataCheck:
    """Check for copied customers; harmless when they share a group, which no fold splits."""
    if customers.panel is not None:
        raise NotApplicable("a customer has rows at several snapshots, which share a group")
    duplicates = folding.duplicates or find_duplicates(customers)
    if not duplicates.is_applicable:
        raise NotApplicable(duplicates.description)
    code, values = "duplicate_customers", duplicates.values
    if duplicates.pairs.empty:
        return DataCheck(code, "passed", duplicates.description, values)
    first, second = (
        customers.duplicate_groups.loc[duplicates.pairs[name]] for name in ("first", "second")
    )
    n_split = int((first.to_numpy() != second.to_numpy()).sum())
    if n_split == 0:
        message = f"{duplicates.description}; copies share a group, which no fold splits"
        return DataCheck(code, "mitigated", message, values)
    message = f"{duplicates.description}; folds may split {n_split:,} of them"
    message += ": group them with audit.duplicates=group"
    return DataCheck(code, "failed", message, {**values, "n_split": n_split}, is_severe=True)


def single_feature_auc(customers: Customers, folding: Folding) -> DataCheck:
    """Check that no feature alone separates the classes as well as a leak would."""
    code, target = "single_feature_auc", known_target(customers)
    aucs = feature_aucs(customers, target, folding)
    strong = {name: one for name, one in aucs.items() if one.exceeds(FEATURE_AUC)}
    if strong:
        listed = ", ".join(f"{name!r} (AUC {one.separation:.3f})" for name, one in strong.items())
        message = "one feature alone separates who declined as well as no whole model should"
        sentence = f"{message}: {listed}; was it known in time?{drop_hint(customers, strong)}"
        values: dict[str, Any] = {"aucs": {name: one.separation for name, one in strong.items()}}
        return DataCheck(code, "failed", sentence, values, is_severe=True)
    best = max(aucs, key=lambda name: aucs[name].separation)
    message = f"no feature alone separates who declined with an AUC above {FEATURE_AUC:.2f}"
    message = f"{message}; the best is {best!r} with {aucs[best].separation:.2f}"
    values = {"threshold": FEATURE_AUC, "feature": best, "auc": aucs[best].separation}
    return DataCheck(code, "passed", message, values)


def target_or_profit_among_features(customers: Customers, _: Folding) -> DataCheck:
    """Check that no feature repeats the target or the profit under another name.

    In a dated source profit is revenue before the snapshot, which may be a feature.
    """
    code = "target_or_profit_among_features"
    candidates = ("target", "profit") if customers.panel is None else ("target",)
    available = [n for n in candidates if getattr(customers, n) is not None]
    if not available:
        raise NotApplicable("there is neither a target nor a profit")
    copies = {
        "target": univariate_auc.find_target_copies(customers),
        "profit": univariate_auc.find_profit_copies(customers),
    }
    messages = [
        f"{_describe_repeats(copies[name])} the {name}" for name in available if copies[name]
    ]
    if messages:
        hint = drop_hint(customers, [one for name in available for one in copies[name]])
        values = {"features": tuple(one for name in available for one in copies[name])}
        message = "; ".join(messages) + (hint and f".{hint}")
        return DataCheck(code, "failed", message, values, is_severe=True)
    return DataCheck(code, "passed", f"no feature repeats the {' or the '.join(available)}")


def constant_features(customers: Customers, _: Folding) -> DataCheck:
    """Check for features with a single value."""
    distinct = customers.features.nunique(dropna=False)
    constant = tuple(distinct.index[distinct <= 1])
    values = {"n": len(distinct), "features": constant}
    if constant:
        message = f"{len(constant)} of {len(distinct)} features have a single value"
        message = f"{message}: {', '.join(map(repr, constant))}; they carry nothing"
        return DataCheck("constant_features", "failed", message, values)
    message = f"all {len(distinct)} features vary"
    return DataCheck("constant_features", "passed", message, values)


def label_against_revenue(customers: Customers, _: Folding) -> DataCheck:
    """Check that customers labelled as declined bought less in the last period."""
    code = "label_against_revenue"
    known_target(customers)
    trends = [pair for one, *pair in find_successive_periods(customers) if one.operation == "slope"]
    if not trends:
        raise NotApplicable("no derived slope tells which features are successive periods")
    before, last = trends[0]
    change = compare_periods(customers, before, last)
    if not change.is_observed:
        raise NotApplicable(f"{before!r} and {last!r} are not known for both classes")
    message = (
        f"{last!r} is below {before!r} for {change.declined.share:.0%} of the customers labelled "
        f"as declined and {change.stayed.share:.0%} of the others (z = {change.z:.1f})"
    )
    shares = {"declined": change.declined.share, "stayed": change.stayed.share}
    values = {"last": last, "before": before, "z": change.z, **shares}
    if change.is_consistent:
        message = f"{message}: the given label agrees with the money"
        return DataCheck(code, "passed", message, values)
    return DataCheck(
        code, "failed", f"{message}: the given label is not what the money says", values
    )


def _describe_auc(auc: UnivariateAuc, noun: str, more: str = "higher", less: str = "lower") -> str:
    direction = more if auc.auc > 0.5 else less
    return f"AUC {auc.separation:.2f} ({direction} {noun} decline more)"


def _describe_repeats(names: tuple[str, ...]) -> str:
    listed = ", ".join(repr(name) for name in names)
    return f"feature {listed} repeats" if len(names) == 1 else f"features {listed} repeat"


def _is_uneven(parts: list[Numbers], shares: Floats) -> bool:
    """Return whether the decline rates of the parts differ significantly."""
    mean = np.concatenate(parts).mean()
    sizes = np.array([len(part) for part in parts])
    chi_square = (sizes * (shares - mean) ** 2).sum() / (mean * (1 - mean))
    return bool(np.ptp(shares) > FOLD_SPREAD and chi_square > FOLD_CHI_SQUARE)


CHECKS: tuple[Callable[[Customers, Folding], DataCheck], ...] = (
    id_predicts_target,
    order_predicts_target,
    duplicate_customers,
    single_feature_auc,
    strong_feature,
    target_or_profit_among_features,
    constant_features,
    label_against_revenue,
)
CHECK_NAMES = tuple(check.__name__ for check in CHECKS)
"""Names of the checks in ``audit.allow``: those of their functions."""


def audit(customers: Customers, folding: Folding) -> list[DataCheck]:
    """Return the results of all checks, in the order of ``CHECKS``."""
    with suppress(NotApplicable):
        folding = replace(folding, aucs=feature_aucs(customers, known_target(customers)))
    return [_run_check(check, customers, folding) for check in CHECKS]


def _run_check(
    check: Callable[[Customers, Folding], DataCheck], customers: Customers, folding: Folding
) -> DataCheck:
    try:
        return check(customers, folding)
    except NotApplicable as no:
        return DataCheck(check.__name__, "not_applicable", str(no))


def raise_severe(checks: Sequence[DataCheck], allow: Sequence[str]) -> None:
    """Raise one ``RetainError`` with every severe failure not in ``allow``."""
    for code in allow:
        if code not in CHECK_NAMES:
            raise RetainError.unknown("audit.allow: check", code, CHECK_NAMES)
    wrong = [c for c in checks if c.outcome == "failed" and c.is_severe and c.code not in allow]
    if wrong:
        message = "\n".join(f"  {check.code}: {check.sentence}" for check in wrong)
        typed = ",".join(dict.fromkeys([*allow, *(check.code for check in wrong)]))
        raise RetainError(
            f"the audit found errors in these data:\n{message}\n"
            f"Correct them, or use the data as they are: audit.allow=[{typed}]"
        )
