"""What a read-out prints. Draws, decides nothing."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from retain.cli.terminal.console import literal

Tree = Mapping[str, Any]
WORDS = {
    "helped": "[green]helped[/]",
    "harmed": "[red]harmed[/]",
    "inconclusive": "too small",
    "not_compared": "too few",
}
PAID = {
    "paid": "[green]it paid[/]",
    "lost": "[red]it cost more than it brought[/]",
    "inconclusive": "too small to tell whether it paid",
}
NO_CURVE = {
    "declined": "No Qini curve: nobody says who declined.",
    "too_few": "No Qini curve: it takes 100 observed customers in each arm.",
}
NO_RATIO = {
    "too_few": "The plan hardly moved who was contacted: its effect on those it moved is not told.",
    "as_planned": "All were contacted or spared as planned.",
}
CAUTIONS = {
    "attrition_differs": "Outcomes are missing for {treatment} of those contacted and {control} "
    "held out, which is no chance (p {p:.2g}): those observed may not be alike.",
    "attrition": "Outcomes are missing for {treatment} of those contacted and {control} held out.",
    "against_plan": "Against the plan {n_control_contacted} held out were contacted and "
    "{n_not_contacted} were not; everyone counts as planned.",
    "unknown_customers": "{n_customers} customers of the file are not the campaign's and are left "
    "out.",
}


def print_readout(console: Console, tree: Tree, folder: Path) -> None:
    """Print effects, money, Qini, save rates, cautions and where the files lie."""
    level = f"{100 * (1 - tree['alpha']):g} %"
    console.print(_title(tree))
    for outcome in ("declined", "profit"):
        rows = [row for row in tree["effects"] if row["outcome"] == outcome]
        if rows:
            console.print(_effects(rows, tree, level))
            console.print(literal(_sentence(rows[0], tree)))
    if tree["attrition"]["bounds"] is not None:
        console.print(_bounds(tree["attrition"]["bounds"]))
    if tree["compliance"] is not None:
        console.print(_complier(tree["compliance"]["complier_effect"], level))
    console.print(_money(tree["money"], tree["profit_unit"], level))
    console.print(literal(_qini(tree["qini"], level)))
    for caution in tree["cautions"]:
        console.print(f"[yellow]{literal(_caution(caution))}[/]")
    if tree["catalogue"] is not None:
        console.print(_save_rates(tree["save_rates"], level))
        typed = f"retain-compare … -cd {shlex.quote(str(folder))} offers={tree['catalogue']}"
        console.print(f"To plan the next campaign with them: {literal(typed)}", soft_wrap=True)
    console.print(f"Read-out: {literal(folder)}", soft_wrap=True, highlight=False)


def _title(tree: Tree) -> str:
    planned, observed = tree["n_planned"], tree["n_observed"]
    counts = [
        f"{observed[arm]:,} of {planned[arm]:,} {word}"
        for arm, word in (("treatment", "to contact"), ("control", "held out"))
    ]
    return f"[bold]Campaign {literal(tree['campaign_id'])}: {' and '.join(counts)} observed[/]"


def _effects(rows: list[Tree], tree: Tree, level: str) -> Table:
    declined = rows[0]["outcome"] == "declined"
    title = "Share that declined, %" if declined else f"Profit per customer, {tree['profit_unit']}"
    table = Table(title=literal(title), box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("", overflow="fold", max_width=26)
    for name in ("contacted", "held out", "Δ", level, "p Holm"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for row in rows:
        named = row["name"] if row["name"] is not None else "all"
        if row["scope"] != rows[max(rows.index(row) - 1, 0)]["scope"]:
            table.add_section()
        table.add_row(literal(named), *_cells(row), WORDS[row["conclusion"]])
    return table


def _cells(row: Tree) -> list[str]:
    times = 100 if row["outcome"] == "declined" else 1
    means = [_amount(row[key], times) for key in ("treated_mean", "control_mean")]
    if row["difference"] is None:
        return [*means, "", "", ""]
    ends = [
        _signed(row["difference"][key], times, places=int(times == 1)) for key in ("low", "high")
    ]
    p = "<.001" if row["p_holm"] < 0.001 else f"{row['p_holm']:.3f}".lstrip("0")
    return [*means, _signed(row["difference"]["value"], times), " to ".join(ends), p]


def _sentence(row: Tree, tree: Tree) -> str:
    """What became of the whole campaign, in words."""
    if row["difference"] is None:
        return "Too few are observed to compare the arms."
    messages = [f"In all, {_effect_words(row)}"]
    if row["customers_saved"] is not None and row["conclusion"] != "inconclusive":
        saved = {key: abs(value) for key, value in row["customers_saved"].items()}
        low, high = sorted((saved["low"], saved["high"]))
        word = "saved" if row["conclusion"] == "helped" else "driven away"
        count = tree["n_planned"]["treatment"]
        messages.append(
            f"about {saved['value']:,.0f} of {count:,} {word} ({low:,.0f} to {high:,.0f})"
        )
    if row["conclusion"] == "inconclusive":
        times, unit = (100, " points") if row["outcome"] == "declined" else (1, "")
        seen = _amount(row["minimum_detectable_effect"], times)
        messages.append(f"an effect of {seen}{unit} would likely have been seen")
    return f"{'; '.join(messages)}."


def _effect_words(row: Tree) -> str:
    times, unit = (100, " points") if row["outcome"] == "declined" else (1, "")
    size = _amount(abs(row["difference"]["value"]), times) + unit
    good = (row["difference"]["value"] < 0) == (row["outcome"] == "declined")
    what = "fewer declined" if good else "more declined"
    if row["outcome"] == "profit":
        what = "more profit" if good else "less profit"
    word = {"helped": "it helped", "harmed": "it harmed", "inconclusive": "too small to tell"}
    return f"{word[row['conclusion']]}: {size} {what} among those to be contacted"


def _bounds(bounds: Tree) -> str:
    low, high = (_signed(bounds[key], 100) for key in ("low", "high"))
    return f"Whatever became of those missing, the difference found lies in {low} to {high} points."


def _complier(told: Tree, level: str) -> str:
    if "reason" in told:
        return NO_RATIO[told["reason"]]
    times, unit = (100, " points") if told["outcome"] == "declined" else (1, "")
    low, high = _signed(told["low"], times), _signed(told["high"], times)
    return (
        f"On those whom the plan got contacted: {_signed(told['value'], times)}{unit} "
        f"({level} {low} to {high})."
    )


def _money(money: Tree | None, unit: str, level: str) -> str:
    if money is None:
        return "Too few are observed to tell what it brought."
    gain, net = (money[key] for key in ("gain", "net"))
    basis = "" if money["basis"] == "observed" else ", at what the plan took a decline to cost"
    cost = f"{money['cost']:,.0f}{'' if money['cost_basis'] == 'stated' else ' expected'}"
    return (
        f"Gain {_whole(gain['value'])} ({level} {_span(gain)}){basis}, cost {cost}: "
        f"net {_whole(net['value'])} ({_span(net)}), where the plan expected "
        f"{_whole(money['expected_net'])}: {PAID[money['conclusion']]}. "
        f"Money in {literal(unit)}."
    )


def _span(told: Tree) -> str:
    ends = ("no bound" if told[end] is None else _whole(told[end]) for end in ("low", "high"))
    return " to ".join(ends)


def _qini(qini: Tree, level: str) -> str:
    if "reason" in qini:
        return NO_CURVE[qini["reason"]]
    messages = []
    for order, found in qini.items():
        area = found["qini"]
        value, low, high = (f"{area[k]:+.3f}".replace("-", "−") for k in ("value", "low", "high"))
        messages.append(f"{order.replace('_', ' ')} {value} ({level} {low} to {high})")
    return f"Qini coefficient of the order by {'; by '.join(messages)}; 0 is a random order."


def _save_rates(rows: list[Tree], level: str) -> Table:
    table = Table(title="Save rate of each offer, %", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("offer", overflow="fold", max_width=22)
    for name in ("contacted", "held out", "before", level, "now", level):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        cells = [f"{row['n_treated']:,}", f"{row['n_control']:,}"]
        for told in (row["prior"], row["posterior"]):
            low, high = (f"{100 * told[end]:.0f}" for end in ("low", "high"))
            cells += [f"{100 * told['value']:.1f}", f"{low}–{high}"]
        table.add_row(literal(row["offer"]), *cells)
    return table


def _caution(caution: Tree) -> str:
    if caution["code"] != "harm":
        return CAUTIONS[caution["code"]].format(**caution)
    part = {"overall": "The campaign"}.get(
        caution["scope"], f"{caution['scope']} {caution['name']}"
    )
    worse = "raised the share that declines" if caution["outcome"] == "declined" else "cost profit"
    return f"{part} {worse} among those to be contacted. Stop it until the reason is known."


def _amount(value: float | None, times: float) -> str:
    return "" if value is None else _short(value * times)


def _signed(value: float | None, times: float, *, places: int = 1) -> str:
    if value is None:
        return "no bound"
    size = _short(abs(value * times), places)
    sign = "" if not float(size.replace(",", "")) else "−" if value < 0 else "+"
    return f"{sign}{size}"


def _whole(number: float) -> str:
    return f"{number:,.0f}".replace("-", "−")


def _short(number: float, places: int = 1) -> str:
    """So many digits after the point, where that matters."""
    return f"{number:,.0f}" if abs(number) >= 1000 else f"{number:.{places}f}"
