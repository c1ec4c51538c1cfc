"""Times the allocation of offers against one maximum over the same matrix, and against PDLP.

    python experiments/benchmarks/allocation.py [--only small hundred ties prices pdlp million ten]

U is ``net.max(axis=1)`` in the same process, the least that any answer must look at; U and the
allocation take turns, and a ratio is taken within a turn. Memory is the high-water mark of the
process above what it held with all arrays in it. README.md's section is rewritten when every part
was done.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from instances import made_up
from peers import pdlp

from report import machine, rewrite
from retain.campaign.allocation.allocate import Allocation, Problem, allocate

SECTION = "allocation"
INSTANCES = 24
KINDS = {"per customer and offer": False, "per offer": True}
Row = tuple[str, str, str, bool | None]
"""What was measured, what was reached, the target, and whether it is met."""


def main() -> None:
    """Do all parts and tell them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    only = parser.parse_args().only
    rows: list[Row] = []
    for name in only:
        for row in PARTS[name]():
            print(line(row), flush=True)
            rows.append(row)
    if set(only) == set(PARTS):
        rewrite(SECTION, told(rows))


def told(rows: list[Row]) -> str:
    """Return the section: a table of all rows."""
    versions = [f"{name} {metadata.version(name)}" for name in ("numpy", "scipy")]
    head = ("|  | reached | target |  |", "| --- | --- | --- | --- |")
    about = f"{machine()}, {', '.join(versions)}."
    return "\n".join([about, "", *head, *map(line, rows)])


def line(row: Row) -> str:
    """Return a row as text.

    >>> line(("100 customers", "0.1 s", "≤ 0.2 s", True))
    '| 100 customers | 0.1 s | ≤ 0.2 s | pass |'
    """
    verdict = {True: "pass", False: "miss", None: ""}[row[3]]
    return f"| {row[0]} | {row[1]} | {row[2]} | {verdict} |"


def took(taken: list[tuple[float, float]], unit: str = ".3f") -> str:
    """Median and longest of seconds, and the median of what the processor spent."""
    walls, spent = zip(*taken, strict=True)
    shown = f"median {median(walls):{unit}} s, longest {max(walls):{unit}} s"
    return f"{shown} (processor {median(spent):{unit}}, {max(spent):{unit}})"


def timed(call: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds a call takes, and what it returns."""
    begun = time.perf_counter()
    result = call()
    return time.perf_counter() - begun, result


def planned(arguments: dict[str, Any]) -> tuple[float, Allocation]:
    """Seconds from the arrays to the plan, checks of the arrays included, and the plan."""
    return timed(lambda: allocate(Problem(**arguments)))


def each(customers: int, instances: int, *, per_offer: bool) -> tuple[list[Any], list[Allocation]]:
    """Wall and processor seconds of every instance, and the plans."""
    taken, plans = [], []
    for seed in range(instances):
        arguments = made_up(customers, seed, per_offer=per_offer)
        before = time.process_time()
        seconds, plan = planned(arguments)
        taken.append((seconds, time.process_time() - before))
        plans.append(plan)
    return taken, plans


def small(customers: int = 1_300, instances: int = INSTANCES) -> Iterator[Row]:
    """Proven optima."""
    for kind, per_offer in KINDS.items():
        taken, plans = each(customers, instances, per_offer=per_offer)
        proven = sum(plan.is_optimal for plan in plans)
        name = f"{customers:,} customers, {instances} instances, cost {kind}"
        met = proven == instances and median(wall for wall, _ in taken) <= 0.3
        yield name, f"{proven} proven: {took(taken)}", "proven, ≤ 0.3 s (median)", met


def hundred(customers: int = 100_000, instances: int = INSTANCES) -> Iterator[Row]:
    """Every gap, and seconds."""
    for kind, per_offer in KINDS.items():
        taken, plans = each(customers, instances, per_offer=per_offer)
        name = f"{customers:,} customers, {instances} instances, cost {kind}"
        met = median(wall for wall, _ in taken) <= 0.3
        yield name, took(taken), "≤ 0.3 s (median)", met
        gaps = [plan.relative_gap for plan in plans]
        reached = f"gap: median {median(gaps):.1e}, largest {max(gaps):.1e}"
        yield name, reached, "every gap ≤ 2e-5", max(gaps) <= 2e-5


def million() -> Iterator[Row]:
    """Return a million customers."""
    return _large(1_000_000, turns=5, most=(15, 50, 2e-5), instances=3)


def ten() -> Iterator[Row]:
    """Ten millions."""
    return _large(10_000_000, turns=3, most=(15, 200, 2e-5), instances=1)


def _large(
    customers: int, turns: int, most: tuple[float, float, float], instances: int
) -> Iterator[Row]:
    """Time in U, memory and gap; each turn pairs one U with one allocation."""
    for kind, per_offer in KINDS.items():
        ratios, memory, gaps, units = [], [], [], []
        for seed in range(instances):
            arguments = made_up(customers, seed, per_offer=per_offer)
            net = arguments["net"]
            for _ in range(turns):
                unit, _ = timed(lambda net=net: net.max(axis=1))
                held = _held_from_now()
                seconds, plan = planned(arguments)
                memory.append(_peak() - held)
                ratios.append(seconds / unit)
                units.append(unit)
                gaps.append(plan.relative_gap)
            del arguments, net
        name = f"{customers:,} customers, cost {kind}"
        reached = f"median {median(ratios):.1f} U of {median(units):.3f} s, most {max(ratios):.1f}"
        yield name, reached, f"≤ {most[0]} U (median)", median(ratios) <= most[0]
        yield (
            name,
            f"{max(memory):.0f} MB above the arrays",
            f"≤ {most[1]} MB",
            max(memory) <= most[1],
        )
        yield name, f"largest gap {max(gaps):.1e}", f"≤ {most[2]:.0e}", max(gaps) <= most[2]


def _held_from_now() -> float:
    """MB the process holds; its high-water mark starts from here."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)  # what earlier turns freed is held no longer
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")
    return _status("VmRSS")


def _peak() -> float:
    return _status("VmHWM")


def _status(name: str) -> float:
    text = Path("/proc/self/status").read_text(encoding="utf-8")
    (line_,) = (one for one in text.splitlines() if one.startswith(f"{name}:"))
    return int(line_.split()[1]) * 1024 / 1e6


def ties(customers: int = 100_000, instances: int = 6) -> Iterator[Row]:
    """Yield rounded scores: masses of customers worth the same."""
    for kind, per_offer in KINDS.items():
        gaps, same, other = [], True, False
        for seed in range(instances):
            arguments = made_up(customers, seed, per_offer=per_offer, rounded=True)
            one, two = (planned(arguments)[1] for _ in range(2))
            third = allocate(replace(Problem(**arguments), seed=1))
            gaps.append(one.relative_gap)
            same &= bool((one.offer_index == two.offer_index).all())
            other |= bool((one.offer_index != third.offer_index).any())
        name = f"{customers:,} customers, rounded scores, {instances} instances, cost {kind}"
        yield name, f"largest gap {max(gaps):.1e}", "≤ 1e-5", max(gaps) <= 1e-5
        reached = f"same seed same plan: {same}; another seed another plan: {other}"
        yield name, reached, "both", same and other


def prices(customers: int = 100_000, instances: int = 4) -> Iterator[Row]:
    """Shadow prices against plans made again with a limit 1 % lower and higher."""
    errors = []
    for seed in range(instances):
        arguments = made_up(customers, seed)
        plan = allocate(Problem(**arguments))
        limits = [("budget", None, plan.budget_price)]
        limits += [("capacity", j, price) for j, price in enumerate(plan.capacity_prices)]
        for name, place, price in limits:
            limit = float(arguments[name] if place is None else arguments[name][place])
            # a place more or less of a few is no small step
            if price > 0 and (place is None or limit >= 500):
                errors.append(abs(_slope(arguments, name, place) / price - 1))
    name = f"{customers:,} customers, {len(errors)} shadow prices of {instances} instances"
    reached = f"median {100 * median(errors):.1f} %, largest {100 * max(errors):.1f} %"
    yield name, reached, "within 3 % of re-solving at ± 1 %", max(errors) <= 0.03


def _slope(arguments: dict[str, Any], name: str, place: int | None) -> float:
    """Return the value of one more unit of a limit, by central difference of 1 %."""
    values, limits = [], []
    for times in (0.99, 1.01):
        limit = np.array(arguments[name], dtype=float)
        index = () if place is None else place
        limit[index] = limit[index] * times if place is None else np.round(limit[index] * times)
        values.append(allocate(Problem(**{**arguments, name: limit})).objective)
        limits.append(float(limit[index]))
    return (values[1] - values[0]) / (limits[1] - limits[0])


def against_pdlp(customers: int = 100_000, seed: int = 0) -> Iterator[Row]:
    """OR-tools' PDLP on the same instance, in turns."""
    name = f"{customers:,} customers, PDLP of OR-tools"
    if pdlp.MISSING:
        yield name, f"not measured: {pdlp.MISSING}", "≥ 50 × faster, smaller gap", None
        return
    arguments = made_up(customers, seed)
    ours, plan = planned(arguments)
    theirs, (_, gap) = timed(lambda: pdlp.solved(arguments))
    again, _ = planned(arguments)
    times = theirs / median([ours, again])
    reached = f"{times:.0f} × faster: {median([ours, again]):.3f} s against {theirs:.1f} s"
    reached += f", gap {plan.relative_gap:.1e} against {gap:.1e} of the fractional one"
    yield name, reached, "≥ 50 × faster, smaller gap", times >= 50 and plan.relative_gap <= gap


PARTS: dict[str, Callable[[], Iterator[Row]]] = {
    "small": small,
    "hundred": hundred,
    "ties": ties,
    "prices": prices,
    "pdlp": against_pdlp,
    "million": million,
    "ten": ten,
}

if __name__ == "__main__":
    main()
