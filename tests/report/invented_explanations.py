"""The ``reasons`` of an invented verdict: every part, every kind of feature, in both languages."""

import numpy as np

CUSTOMERS, DECLINED = 1039, 395
BINS = 40
NUMBERS = {
    "pages_per_visit": ("site", "Pages a visit", "Страниц за визит", 8.1, 3.4),
    "minutes_previous": (
        "site",
        "Minutes on the site a day, previous month",
        "Минут на сайте в день, предыдущий месяц",
        13.4,
        4.1,
    ),
    "categories_per_visit": (
        "product",
        "Categories viewed a visit",
        "Просмотр категорий за визит",
        3.3,
        1.3,
    ),
    "minutes_current": (
        "site",
        "Minutes on the site a day, current month",
        "Минут на сайте в день, текущий месяц",
        13.2,
        4.2,
    ),
    "unpaid_items": (
        "product",
        "Unpaid items in the basket a quarter",
        "Неоплаченные продукты за квартал",
        2.8,
        2.0,
    ),
    "promo_share": (
        "product",
        "Share of purchases on promotion",
        "Доля покупок по акции",
        0.32,
        0.25,
    ),
    "revenue_before_previous": (
        "purchase",
        "Revenue, month before previous",
        "Выручка, препредыдущий месяц",
        4826.5,
        410.0,
    ),
    "revenue_current": (
        "purchase",
        "Revenue, current month",
        "Выручка, текущий месяц",
        5236.8,
        950.0,
    ),
    "revenue_previous": (
        "purchase",
        "Revenue, previous month",
        "Выручка, предыдущий месяц",
        4936.9,
        740.0,
    ),
    "days_registered": (
        "purchase",
        "Days since registration",
        "Дней с момента регистрации",
        601.9,
        249.9,
    ),
    "service_errors": ("site", "Service errors met", "Ошибки сервиса", 4.2, 2.1),
    "marketing_6_months": (
        "communication",
        "Marketing contacts a month over 6 months",
        "Маркетинговая активность за 6 месяцев",
        4.3,
        1.0,
    ),
    "marketing_current": (
        "communication",
        "Marketing contacts this month",
        "Маркетинговая активность в текущем месяце",
        4.0,
        0.9,
    ),
}
DERIVED = {
    "pages_per_category": ("site", "Pages a category", "Страниц на категорию", 2.9, 1.6),
    "revenue_trend": ("purchase", "Revenue trend a month", "Тренд выручки за месяц", 205.0, 480.0),
    "minutes_change": (
        "site",
        "Change of minutes on the site",
        "Изменение времени на сайте",
        -0.2,
        5.5,
    ),
    "revenue_ratio": (
        "purchase",
        "Revenue this month to previous",
        "Выручка к предыдущему месяцу",
        1.08,
        0.25,
    ),
    "revenue_ratio_earlier": (
        "purchase",
        "Revenue previous month to the one before",
        "Выручка предыдущего месяца к более раннему",
        1.03,
        0.18,
    ),
    "marketing_change": (
        "communication",
        "Marketing this month against 6 months",
        "Маркетинг к среднему за 6 месяцев",
        -0.3,
        1.1,
    ),
}
CATEGORIES = {
    "popular_category": (
        "product",
        "Favourite category",
        "Популярная категория",
        [
            ("Goods for children", "Товары для детей"),
            ("Home textiles", "Домашний текстиль"),
            ("Cosmetics and accessories", "Косметика и аксессуары"),
            ("Beauty and health appliances", "Техника для красоты и здоровья"),
            ("Small appliances and electronics", "Мелкая бытовая техника и электроника"),
            ("Kitchenware", "Кухонная посуда"),
        ],
    ),
    "service_level": (
        "purchase",
        "Service level",
        "Тип сервиса",
        [("Standard", "Стандарт"), ("Premium", "Премиум")],
    ),
    "consent": (
        "communication",
        "Agreed to be contacted",
        "Разрешить сообщать",
        [("Yes", "Да"), ("No", "Нет")],
    ),
}
OFF = "communication"
"""The group that the invented winner has switched off."""
FALLING = {"pages_per_visit", "minutes_previous", "categories_per_visit", "minutes_current"}


def label(en, ru):
    return {"en": en, "ru": ru}


def ranged(random, mean, *, share=0.12):
    reach = abs(mean) * share * float(random.uniform(0.8, 1.4)) + 0.002
    return {"value": mean, "low": mean - reach, "high": mean + reach}


def quantiles(random, centre, spread):
    values = np.quantile(random.normal(centre, spread, 300), [0.05, 0.25, 0.5, 0.75, 0.95])
    return dict(zip(("p5", "p25", "p50", "p75", "p95"), map(float, values), strict=True))


def levels_of(random, names):
    shares = random.dirichlet([8] * len(names), 2)
    found = []
    for at, one in enumerate(names):
        declined, stayed = (
            int(share[at] * count)
            for share, count in zip(shares, (DECLINED, CUSTOMERS - DECLINED), strict=True)
        )
        customers = declined + stayed
        rate = declined / customers
        reach = float(1.96 * np.sqrt(rate * (1 - rate) / customers))
        found.append(
            {
                "label": label(*one),
                "n_customers": customers,
                "share_of_declined": declined / DECLINED,
                "share_of_stayed": stayed / (CUSTOMERS - DECLINED),
                "decline_rate": {
                    "value": rate,
                    "low": max(rate - reach, 0.0),
                    "high": min(rate + reach, 1.0),
                },
            }
        )
    return found


def swarm(random, shap, ranks):
    """Forty equal bins of SHAP values; ``ranks`` None for a category."""
    counts, edges = np.histogram(shap, BINS)
    at = np.clip(np.digitize(shap, edges) - 1, 0, BINS - 1)
    means = [
        None if ranks is None or not counts[one] else float(ranks[at == one].mean())
        for one in range(BINS)
    ]
    return {
        "min": float(edges[0]),
        "max": float(edges[-1]),
        "counts": [int(count) for count in counts],
        "mean_ranks": means,
    }


def bent(values, strength, sign):
    """SHAP values of a number: a step that saturates, as trees learn it."""
    scaled = (values - np.median(values)) / values.std()
    return sign * strength * 1.4 * np.tanh(1.6 * scaled)


def number_feature(random, name, message, strength, *, derived, used, top):
    group, en, ru, centre, spread = message
    values = random.normal(centre, spread, CUSTOMERS)
    sign = -1 if name in FALLING else 1
    shap = bent(values, strength, sign) + random.normal(0, strength / 4, CUSTOMERS)
    ranks = values.argsort().argsort() / (CUSTOMERS - 1)
    shift = sign * min(strength, 0.9) * spread
    edges = np.array_split(values.argsort(), 20)
    return {
        "name": name,
        "group": group,
        "label": label(en, ru),
        "kind": "number",
        "is_derived": derived,
        "in_model": used,
        "effect_size": {"measure": "cliffs_delta", **ranged(random, sign * strength * 0.6)},
        "distribution": {
            "kind": "number",
            "declined": {"observed_share": 0.99, **quantiles(random, centre + shift, spread)},
            "stayed": {"observed_share": 1.0, **quantiles(random, centre - shift / 2, spread)},
        },
        **model_sees(random, strength, used=used),
        **(
            {
                "direction": "mixed" if name == "service_errors" else ("up", "down")[sign < 0],
                "rank_correlation": float(np.corrcoef(values, shap)[0, 1]),
                "beeswarm": swarm(random, shap, ranks),
            }
            if used
            else {"direction": None, "rank_correlation": None, "beeswarm": None}
        ),
        "top_level": None,
        "dependence": [point(values[at], shap[at]) for at in edges] if top else None,
    }


def point(values, shap, name=None):
    low, high = np.quantile(shap, [0.1, 0.9])
    return {
        "x": None if values is None else float(np.median(values)),
        "label": name,
        "n_customers": len(shap),
        "mean": float(shap.mean()),
        "p10": float(low),
        "p90": float(high),
    }


def category_feature(random, name, message, strength, *, used, top):
    group, en, ru, names = message
    centres = random.normal(0, strength, len(names))
    at = random.integers(0, len(names), CUSTOMERS)
    shap = centres[at] + random.normal(0, strength / 5, CUSTOMERS)
    points = [point(None, shap[at == i], label(*one)) for i, one in enumerate(names)]
    return {
        "name": name,
        "group": group,
        "label": label(en, ru),
        "kind": "category",
        "is_derived": False,
        "in_model": used,
        "effect_size": {"measure": "cramers_v", **ranged(random, strength * 0.5)},
        "distribution": {"kind": "category", "levels": levels_of(random, names)},
        **model_sees(random, strength, used=used),
        "direction": "level" if used else None,
        "rank_correlation": None,
        "top_level": label(*names[int(centres.argmax())]) if used else None,
        "beeswarm": swarm(random, shap, None) if used else None,
        "dependence": points if top else None,
    }


def model_sees(random, strength, *, used):
    """What is known of a feature through the model, and by association alone."""
    return {
        "phik": float(np.clip(0.8 * strength + random.uniform(0, 0.05), 0, 1)),
        "significance": 22 * strength + float(random.uniform(0, 2)),
        "mean_abs_shap": ranged(random, strength) if used else None,
        "is_weak": used and strength < 0.08,
        "permutation_importance": ranged(random, strength / 19, share=0.5) if used else None,
    }


def features(random):
    strengths = iter(0.83 * 0.8 ** np.arange(30))
    order = list(NUMBERS)
    order[4:4] = ["popular_category"]
    order[9:9] = ["pages_per_category", "revenue_trend", "service_level", "minutes_change"]
    order += [name for name in [*DERIVED, *CATEGORIES] if name not in order]
    found, shown = [], 0
    for name in order:
        result = {**NUMBERS, **DERIVED, **CATEGORIES}[name]
        used = result[0] != OFF
        common = {"used": used, "top": used and shown < 6}
        shown += used
        strength = float(next(strengths))
        if name in CATEGORIES:
            found.append(category_feature(random, name, result, strength, **common))
        else:
            derived = name in DERIVED
            found.append(number_feature(random, name, result, strength, derived=derived, **common))
    return sorted(
        found, key=lambda one: (not one["in_model"], -one["phik"] if not one["in_model"] else 0)
    )


def groups(random):
    return [
        group("site", 7, 0.62, contribution(0.0341, 0.0102, "sweep", 12)),
        group("purchase", 7, 0.41, contribution(0.0262, 0.0118, "refit", None)),
        group("product", 4, 0.37, contribution(-0.0017, 0.0061, "refit", None)),
        {
            **group(OFF, 4, None, None),
            "in_model": False,
            "reason": "the winner has it switched off, and no pair of runs differs in it alone",
        },
    ]


def group(name, size, strength, lost):
    found = {"name": name, "n_features": size, "in_model": True, "ablation": lost, "reason": None}
    held = (
        {"value": strength, "low": strength - 0.04, "high": strength + 0.05} if strength else None
    )
    return {**found, "mean_abs_shap": held}


def contribution(loss, reach, source, pairs):
    return {
        "auc_loss": {"value": loss, "low": loss - reach, "high": loss + reach},
        "source": source,
        "n_pairs": pairs,
    }


def examples():
    """Five customers, whose drivers are a number, a level and a value that is not known."""
    return [
        {
            "customer_id": f"{215348 + 13 * at}",
            "probability": 0.973 - 0.011 * at,
            "drivers": [
                driver("pages_per_visit", 2.0 + at, low=6.0, high=11.0, points=0.121 - at / 100),
                driver(
                    "popular_category",
                    None,
                    level=label("Kitchenware", "Кухонная посуда"),
                    share=0.17,
                    points=0.083,
                ),
                driver("minutes_previous", None, low=10.5, high=16.75, share=0.012, points=0.051),
            ],
        }
        for at in range(5)
    ]


def driver(feature, value, *, points, level=None, low=None, high=None, share=None):
    return {
        "feature": feature,
        "kind": "number" if low is not None else "category",
        "value": value,
        "level": level,
        "typical_low": low,
        "typical_high": high,
        "typical_share": share,
        "log_odds": 7 * points,
        "probability_points": points,
    }


def label_audit():
    month = {
        "current": label("Revenue, current month", "Выручка, текущий месяц"),
        "previous": label("Revenue, previous month", "Выручка, предыдущий месяц"),
        "derived": label("Revenue trend a month", "Тренд выручки за месяц"),
    }
    minutes = {
        "current": label(
            "Minutes on the site a day, current month", "Минут на сайте в день, текущий месяц"
        ),
        "previous": label(
            "Minutes on the site a day, previous month", "Минут на сайте в день, предыдущий месяц"
        ),
        "derived": label("Change of minutes on the site", "Изменение времени на сайте"),
    }
    return [
        {**month, **fell(0.2127, 84, 0.3012, 194, 0.043), "z": -3.14, "is_consistent": False},
        {**minutes, **fell(0.6177, 244, 0.4425, 285, -0.081), "z": 5.47, "is_consistent": True},
    ]


def fell(declined, many, stayed, others, change):
    return {
        "declined": {
            "n_customers": DECLINED,
            "n_decreased": many,
            "decreased_share": {
                "value": declined,
                "low": declined - 0.0391,
                "high": declined + 0.0412,
            },
            "median_change": change,
        },
        "stayed": {
            "n_customers": CUSTOMERS - DECLINED,
            "n_decreased": others,
            "decreased_share": {
                "value": stayed,
                "low": stayed - 0.0342,
                "high": stayed + 0.0363,
            },
            "median_change": None if change < 0 else change / 2,
        },
    }


def make_reasons():
    """The tree of ``verdict.json["reasons"]`` with every optional part."""
    random = np.random.default_rng(7)
    return {
        "level": "full",
        "target": {
            "label": label("Purchasing activity: Declined", "Покупательская активность: Снизилась"),
            "n_customers": CUSTOMERS,
            "n_declined": DECLINED,
            "decline_rate": DECLINED / CUSTOMERS,
        },
        "groups": groups(random),
        "features": features(random),
        "redundant": [
            {"features": ["pages_per_visit", "pages_per_category"], "phik": 0.968},
            {"features": ["revenue_current", "revenue_ratio", "revenue_trend"], "phik": 0.913},
        ],
        "feature_pairs": [
            {
                "a": "pages_per_visit",
                "b": "pages_per_category",
                "phik": 0.968,
                "significance": 41.2,
            },
            {"a": "revenue_current", "b": "revenue_ratio", "phik": 0.931, "significance": 38.7},
            {"a": "revenue_current", "b": "revenue_trend", "phik": 0.913, "significance": 36.1},
            {"a": "minutes_current", "b": "minutes_change", "phik": 0.702, "significance": 24.9},
            {"a": "minutes_previous", "b": "minutes_current", "phik": 0.533, "significance": 17.3},
        ],
        "drivers": {
            "explainer": "sampled",
            "n_customers": CUSTOMERS,
            "n_repeats": 2,
            "background_size": 25,
            "standard_error": 0.0123,
            "max_probability_gap": 1.2e-12,
            "rank_correlation": 0.714,
            "rank_correlation_p": 0.000043,
            "ranks_agree": True,
        },
        "reason": None,
        "examples": examples(),
        "label_audit": label_audit(),
    }


def without_a_model(reasons):
    """Reasons of associations alone: the winner has no explainer."""
    reasons["drivers"], reasons["reason"] = None, "svc has no explainer within 60 seconds"
    reasons["examples"] = []
    for group in reasons["groups"]:
        group |= {"mean_abs_shap": None, "ablation": None, "reason": "not measured"}
    for feature in reasons["features"]:
        absent = (
            "mean_abs_shap",
            "direction",
            "rank_correlation",
            "top_level",
            "permutation_importance",
            "beeswarm",
            "dependence",
        )
        feature |= {"is_weak": False, **dict.fromkeys(absent)}
