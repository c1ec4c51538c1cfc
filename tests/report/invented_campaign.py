"""The ``segments`` and ``campaign`` of an invented verdict: every part, in both languages."""

from pathlib import Path

import numpy as np
import yaml

CUSTOMERS, CONTACTABLE = 1296, 958
TREATED, CONTROL = 248, 61
COST, SAVED, NET = 396.45, 1264.85, 868.4
LEVELS = [
    ("high", "High", "Высокий"),
    ("medium", "Middling", "Средний"),
    ("low", "Low", "Низкий"),
]
WORTH = [
    ("high", "high value", "высокая ценность"),
    ("middle", "middle value", "средняя ценность"),
    ("low", "low value", "низкая ценность"),
]
SIZES = (88, 131, 92, 71, 64, 19, 262, 341, 228)
OFFERS = [
    ("basket_reminder", "Reminder of the basket", "Напоминание о корзине", "email", 118, 96),
    ("free_delivery", "Free delivery", "Бесплатная доставка", "email", 402, 60),
    ("personal_selection", "A personal selection", "Персональная подборка", "push", 377, 41),
    ("service_apology", "Apology for service errors", "Извинение за сбои", "call", 203, 30),
    ("promo_bundle", "Bundle on promotion", "Набор по акции", "email", 161, 21),
    ("premium_care", "Premium care", "Забота о премиум-клиентах", "call", 44, 0),
    ("newcomer_gift", "Gift for newcomers", "Подарок новичкам", "site", 91, 0),
    ("favourite_category", "News of a favourite", "Новинки любимой категории", "push", 310, 0),
]


def label(en, ru):
    return {"en": en, "ru": ru}


def money(value, reach):
    return {"value": value, "low": value - reach, "high": value + reach}


def difference(feature, en, ru, inside, outside, effect, **level):
    """One feature in which a segment differs; with a level, of a category."""
    return {
        "feature": feature,
        "label": label(en, ru),
        "level": level.get("level"),
        "level_label": level.get("named"),
        "kind": "category" if level else "number",
        "in_segment": inside,
        "elsewhere": outside,
        "effect_size": {
            "measure": "difference_of_shares" if level else "cliffs_delta",
            "value": effect,
            "low": effect - 0.083,
            "high": effect + 0.079,
        },
        "direction": "higher" if inside > outside else "lower",
    }


def differences(at):
    kitchen = {"level": "kitchen", "named": label("Kitchenware", "Кухонная посуда")}
    found = [
        difference("pages_per_visit", "Pages a visit", "Страниц за визит", 5.31, 8.64 + at, -0.61),
        difference("unpaid_items", "Unpaid items", "Неоплаченные продукты", 4.12 + at, 2.2, 0.44),
        difference(
            "popular_category",
            "Favourite category",
            "Популярная категория",
            0.3125 + at / 100,
            0.1377,
            0.187,
            **kitchen,
        ),
    ]
    return found[: 3 - at % 3]


def segment(at, risk, worth):
    size, chance = SIZES[at], (0.84, 0.45, 0.13)[at // 3] - 0.011 * at
    at_risk = size * chance * (19.1, 11.3, 6.2)[at % 3]
    small = size < 30
    return {
        "segment": f"{risk[0]} risk, {worth[0]} value",
        "label": label(f"{risk[1]} risk, {worth[1]}", f"{risk[2]} риск, {worth[2]}"),
        "n_customers": size,
        "share": size / CUSTOMERS,
        "n_declined": round(size * chance),
        "risk": {"value": chance, "low": chance - 0.0312, "high": chance + 0.0293},
        "expected_risk": chance + (0.0817 if at == 4 else 0.0107),
        "p": 0.0131 if at == 4 else 0.613,
        "is_miscalibrated": at == 4,
        "total_profit": size * (6.4, 3.8, 2.1)[at % 3],
        "observed_profit_at_risk": money(at_risk, 0.17 * at_risk),
        "expected_profit_at_risk": money(1.07 * at_risk, 0.11 * at_risk),
        "contactable_share": 0.7391 + at / 1000,
        "is_small": small,
        "stability": {
            "jaccard": 0.93 - (0.38 if small else 0.03 * at),
            "jaccard_low": 0.88 - (0.5 if small else 0.04 * at),
            "n_resamples": 50,
        },
        "contrasts": differences(at),
    }


def make_bands():
    """The bands of risk as fitted, with labels."""
    begins = {"low": 0.0, "medium": 0.3821, "high": 0.6498}
    labels = {name: label(f"{en} risk", f"{ru} риск") for name, en, ru in LEVELS}
    return {"scale": "absolute", "bands": begins, "labels": labels}


CONF = Path(__file__).resolve().parents[2] / "conf"


def shipped(group, name):
    """An option of a config group, in JSON's types."""
    return yaml.safe_load((CONF / group / f"{name}.yaml").read_text(encoding="utf-8"))


def make_catalogue():
    """The tree of the offers of the plan, the last in two steps."""
    catalogue = shipped("offers", "general")
    offers = {
        name: {
            **catalogue["offers"]["letter"],
            "label": label(en, ru),
            "text": label(f"{en}, for you.", f"{ru} — для вас."),
            "channel": channel,
        }
        for name, en, ru, channel, *_ in OFFERS
    }
    offers[OFFERS[0][0]]["steps"] = [
        {"day": 3, "channel": "call", "text": label("A call after it.", "Звонок вслед.")}
    ]
    return {**catalogue, "offers": offers}


def make_thresholds():
    """The tree of ``fitted_thresholds``."""
    segmentation = {**shipped("segmentation", "risk_value"), "risk": make_bands()}
    return {"segmentation": segmentation, "offers": make_catalogue()}


def make_settings():
    """The tree of ``settings``."""
    return {
        "segmentation": shipped("segmentation", "risk_value"),
        "assumptions": shipped("assumptions", "default"),
        "offers": make_catalogue(),
        "campaign": shipped("campaign", "default"),
    }


def make_segments():
    """The list of ``verdict.json["segments"]``: three risks by three values, one of them small."""
    found = [segment(at, LEVELS[at // 3], WORTH[at % 3]) for at in range(len(LEVELS) * len(WORTH))]
    return sorted(found, key=lambda one: -one["observed_profit_at_risk"]["value"])


def offer(at):
    name, en, ru, channel, eligible, treated = OFFERS[at]
    cost = treated * (0.8 + 0.45 * at)
    saved = treated * (6.1 - 0.31 * at)
    capped = name in ("service_apology", "premium_care")
    return {
        "name": name,
        "label": label(en, ru),
        "channel": channel,
        "needs_consent": channel != "site",
        "n_eligible": eligible,
        "n_chosen": treated + treated // 4,
        "n_treated": treated,
        "n_control": treated // 4,
        "expected_cost": cost,
        "expected_saved": saved,
        "expected_net": money(saved - cost, 0.4 * saved),
        "capacity": 30 if capped else None,
        "shadow_price": (1.737 if name == "service_apology" else 0.0) if capped else None,
        "save_rate": {
            "alpha": 6,
            "beta": 14,
            "minimum": 0,
            "value": 0.3,
            "low": 0.1258,
            "high": 0.5122,
        },
        "break_even_save_rate": 0.0613 + at / 90 if treated else None,
        "break_even_contact_cost": 6.37 - at / 3 if treated else None,
    }


def power(treated, control, detectable, hoped, needed, **of):
    return {
        **of,
        "n_treated": treated,
        "n_control": control,
        "baseline_rate": 0.6138 if not of else 0.6138 - treated / 1000,
        "minimum_detectable_effect": detectable,
        "expected": hoped,
        "required_n": needed,
        "claimable": detectable is not None and detectable <= hoped,
    }


def curve():
    """Profit by the share contacted: up, over its top, and down again."""
    shares = np.linspace(0, 1, 41)
    profit = 5100 * (shares * np.exp(-2.1 * shares)) - 640 * shares
    best = int(profit.argmax())
    return {
        "offer": "free_delivery",
        "share": [float(one) for one in shares],
        "profit": [float(one) for one in profit],
        "profit_by_risk": [float(one) for one in 0.7 * profit - 40 * shares],
        "best_share": float(shares[best]),
        "best_profit": float(profit[best]),
    }


def budgets():
    found = [round(40 * 1.38**at, 2) for at in range(12)]
    curve = [
        {
            "budget": budget,
            "n_chosen": int(395 * (1 - np.exp(-budget / 260))) + 1,
            "expected_net": float(961.8 * (1 - np.exp(-budget / 170))),
        }
        for budget in found
    ]
    plan = {"budget": 396.45, "n_chosen": TREATED + CONTROL, "expected_net": NET}
    return sorted([*curve, plan], key=lambda one: one["budget"])


def sensitivity():
    """One row an assumption; the first and last say where the plan stays, one cannot tell."""

    def row(name, low, value, high, nets, same):
        return {
            "name": name,
            "low": low,
            "value": value,
            "high": high,
            "expected_net_low": nets[0],
            "expected_net_high": nets[1],
            "n_chosen_low": 309 - int(low * 10),
            "n_chosen_high": 309 + int(high * 7),
            "stable_from": same[0],
            "stable_to": same[1],
        }

    return {
        "expected_net": NET,
        "n_chosen": 309,
        "rows": [
            row("save_rate", 0.1525, 0.2708, 0.3997, (241.7, 1502.3), (0.265, 0.281)),
            row("horizon", 2.0, 3.0, 6.0, (502.1, 1993.6), (2.81, 3.17)),
            row("loss_fraction", 0.5, 1.0, 1.0, (288.8, 868.4), (None, None)),
            row("cost_multiplier", 0.8, 1.0, 1.25, (969.2, 748.1), (0.9, 1.125)),
            row("margin", 0.9, 1.0, 1.1, (764.3, 973.9), (0.85, 1.2)),
        ],
    }


def strata():
    names = [one["segment"] for one in make_segments()[:3]]
    return [
        {"segment": name, "offer": OFFERS[at][0], "n_chosen": 40 - 3 * at, "n_control": 8 - at % 2}
        for name in names
        for at in range(3)
    ]


def make_recalibration():
    """The tree of ``recalibration``: a beta calibration without profit."""
    scores = np.linspace(0.005, 0.995, 100)
    risk = 1 / (1 + ((1 - scores) / scores) ** 0.837)
    curve = {"score": scores, "risk": risk, "low": 0.93 * risk, "high": 1 - 0.93 * (1 - risk)}
    covariance = (np.eye(3) / 50).tolist()
    one = {"basis": "beta", "knots": [], "coefficients": [0.0, 0.8, 0.9], "covariance": covariance}
    return {
        "n_customers": 1039,
        "n_events": 398,
        "intercept": 0.0412,
        "slope": {"value": 0.837, "low": 0.7511, "high": 0.9229},
        "out_of_fold": one,
        "single_model": one,
        "profit": None,
        "log_loss": {
            "out_of_fold": {"identity": 0.3518, "logit": 0.3516, "beta": 0.3261, "spline": 0.3296}
        },
        "profit_test": {
            "statistic": 0.216,
            "degrees": 1,
            "p": 0.6419,
            "level": 0.2,
            "odds_ratio": 1.047,
            "is_used": False,
        },
        "curve": {name: [float(one) for one in values] for name, values in curve.items()},
    }


def make_check():
    """The tree of ``calibration_check``: ten tenths, of which one has few customers."""
    tenths = [
        {
            "tenth": at + 1,
            "n_customers": 12 if at == 9 else 130,
            "n_declined": 11 if at == 9 else 12 * at + 4,
            "risk": None if at == 9 else {"value": at / 10, "low": at / 11, "high": at / 9},
            "expected_risk": at / 10 + 0.0123,
            "p": None if at == 9 else 0.731,
            "is_miscalibrated": False,
        }
        for at in range(10)
    ]
    return {
        "level": 0.05,
        "n_tests": 18,
        "n_flagged_segments": 1,
        "n_flagged_tenths": 0,
        "tenths": tenths,
    }


def totals_of(treated, control):
    """The totals of some of the plan's customers, as their part of the plan's totals."""
    part = treated / TREATED
    return {
        "n_chosen": treated + control,
        "n_treated": treated,
        "n_control": control,
        "expected_cost": COST * part,
        "expected_saved": SAVED * part,
        "expected_net": money(NET * part, 0.6 * NET * part),
        "one_in": 7.4 if treated else None,
    }


CHOSEN = (
    {0: (40, 10), 3: (18, 4)},
    {1: (36, 9), 4: (21, 5)},
    {2: (41, 10), 0: (26, 7), 3: (12, 3)},
    {0: (30, 7), 1: (24, 6)},
)
"""Treated and control customers of a segment by offer; the other segments are left alone."""
DECLINED = (494, 1296 - 494)
"""Customers labelled as declined, and the others."""


def choice(at, treated, control):
    name, en, ru, channel, *_ = OFFERS[at]
    because = {
        "feature": "unpaid_items",
        "label": label("Unpaid items", "Неоплаченные продукты"),
        "n_customers": treated - 3,
        "is_of_offer": at == 0,
    }
    totals = totals_of(treated, control)
    known = {"offer": name, "label": label(en, ru), "channel": channel, "why": because}
    return {**known, **totals}


def approval_row(segment, chosen):
    """A row of the plan to approve, whose customers are those of its choices."""
    choices = [choice(at, *numbers) for at, numbers in chosen.items()]
    totals = totals_of(*(sum(one[n] for one in choices) for n in ("n_treated", "n_control")))
    contactable = max(totals["n_chosen"], round(segment["n_customers"] * 0.7392))
    return {
        **{key: segment[key] for key in ("segment", "label", "n_customers", "share")},
        "expected_share": segment["expected_risk"],
        "observed_share": segment["n_declined"] / segment["n_customers"],
        "n_contactable": contactable,
        "n_left_alone": segment["n_customers"] - totals["n_chosen"],
        "main_offer": choices[0]["offer"] if choices else None,
        **totals,
        "choices": choices,
    }


def make_approval():
    """The plan by segment and by known class; both add up to the plan."""
    segments = sorted(make_segments(), key=lambda one: -one["n_customers"])
    rows = [
        approval_row(one, CHOSEN[at] if at < len(CHOSEN) else {}) for at, one in enumerate(segments)
    ]
    classes = [
        {"known_class": name, "n_customers": size, **totals_of(*numbers)}
        for name, size, numbers in zip(
            ("win-back", "retention"), DECLINED, ((170, 41), (78, 20)), strict=True
        )
    ]
    return {"approval": rows, "known_classes": classes}


def make_cells():
    """Customers by risk and fifths of profit: cells that add up, one of them empty."""
    edges, counts = [0.0, 1.2, 3.4, 7.9, 15.5, 88.0], np.full((5, 10), 26)
    counts[2, 4], counts[0, 0] = 0, 26 + 26 - 4
    middles = np.outer([0.6, 2.3, 5.6, 11.7, 51.7], np.linspace(0.05, 0.95, 10))
    return {
        "risk_edges": [at / 10 for at in range(11)],
        "profit_edges": edges,
        "n_customers": counts.tolist(),
        "profit_at_risk": (counts * middles / 3).tolist(),
        "n_high": int(counts[:, 5:].sum()),
        "high_share": 0.7513,
    }


def make_overview():
    """What the first screen says; the channels add up to the plan."""
    treated = {}
    for at, numbers in ((at, numbers) for one in CHOSEN for at, numbers in one.items()):
        treated[OFFERS[at][3]] = treated.get(OFFERS[at][3], 0) + numbers[0]
    channels = [
        {"channel": name, "n_treated": n, "expected_cost": COST * n / TREATED}
        for name, n in sorted(treated.items(), key=lambda one: -one[1])
    ]
    return {
        "n_declined": DECLINED[0],
        "expected_declines": money(517.3, 21.9),
        "at_risk_share": 0.3127,
        "net_share": 0.1419,
        "channels": channels,
        "risk_by_profit": make_cells(),
    }


def make_campaign():
    """The tree of ``verdict.json["campaign"]`` with every part."""
    names = [one["segment"] for one in make_segments()[:4]]
    return {
        "id": "9f3ac1d2",
        "seed": 0,
        "n_customers": CUSTOMERS,
        "n_contactable": CONTACTABLE,
        "consent": "from_data",
        "ranking": "shown",
        "free_offers": [],
        "objective": "profit",
        "profit_unit": "thousand roubles",
        "basis": {"en": "All costs are assumed.", "ru": "Все затраты — допущения."},
        "policies": {
            "max_contacts_current": 5,
            "contacts_current": "marketing",
            "rest_days": None,
            "days_since_contact": None,
            "channels": [],
            "n_spared": 12,
        },
        "care": [
            {
                "name": "apology",
                "label": {"en": "Apology", "ru": "Извинение"},
                "channel": "account",
                "n_customers": 30,
                "cost": 0.3,
            }
        ],
        **make_approval(),
        "overview": make_overview(),
        "assumptions": [
            {"name": "horizon", "value": 3.0, "low": 2.0, "high": 6.0},
            {"name": "loss_fraction", "value": 1.0, "low": 0.5, "high": 1.0},
            {"name": "margin", "value": 1.0, "low": 0.9, "high": 1.1},
            {"name": "cost_multiplier", "value": 1.0, "low": 0.8, "high": 1.25},
        ],
        "recalibration": make_recalibration(),
        "calibration_check": make_check(),
        "expected_profit_at_risk": money(5734.2, 911.7),
        "observed_profit_at_risk": money(5359.0, 704.1),
        "profit_concentration": {"n_first": 4, "share": 0.12, "limit": 0.5},
        "n_missing_profit": 0,
        "n_simulations": 1000,
        "profit_curve": curve(),
        "empc": {"offer": "basket_reminder", "value": 0.7219, "share": 0.2871},
        "offers": [offer(at) for at in range(len(OFFERS))],
        "plan": {
            "segment_offers": {"limit": 3, "free_net": 900.0, "cost": 31.6},
            "kept": None,
            "n_chosen": TREATED + CONTROL,
            "n_treated": TREATED,
            "n_control": CONTROL,
            "n_paying": TREATED + CONTROL + 7,
            "expected_cost": COST,
            "budget": 400.0,
            "max_contacts": 320,
            "expected_saved": SAVED,
            "expected_net": money(NET, 512.9),
            "unmet_minimums": [],
            "relative_gap": 3.7e-7,
            "method": "dual",
            "is_optimal": False,
        },
        "shadow_prices": {
            "budget": {"price": 1.173, "step": 100.0, "gain": 117.3},
            "contact": 0.412,
            "consent": {"n_customers": CUSTOMERS - CONTACTABLE, "gain": 287.9},
            "control_group": {"n_customers": CONTROL, "cost": 213.91},
        },
        "control_group": {"share": 0.2, "n_attempts": 3, "strata": strata()},
        "power": {
            "alpha": 0.05,
            "level": 0.025,
            "power": 0.8,
            "overall": power(TREATED, CONTROL, 0.1187, 0.0413, 982),
            "segments": [
                power(71 - 9 * at, 18 - 2 * at, 0.2213 + at / 40, 0.05, 671 + at, segment=name)
                for at, name in enumerate(names)
            ],
        },
        "sensitivity": sensitivity(),
        "budget_curve": budgets(),
        "cautions": [
            {"code": "risk_miscalibrated", "n_segments": 1, "n_tenths": 0},
            {"code": "calibration_poor", "slope": 0.837},
        ],
    }
