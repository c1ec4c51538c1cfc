"""Names and descriptions of the features of a purchase log, in English and Russian."""

from __future__ import annotations

from collections.abc import Iterable

from retain.customers.customers import Column, Kind

TOP_CATEGORY = "favourite_category"
AGEING = ("tenure_days", "order_days")
"""Features since the first order, which grow as long as a log does."""
_DESCRIPTIONS = {
    "purchase": {
        "days_since_order": ("days since the last order", "дней с последнего заказа"),
        "tenure_days": ("days since the first order", "дней с первого заказа"),
        "order_days": ("days with an order so far", "дней с заказами за всё время"),
        "orders_needed": (
            "fewest days with an order that are no decline",
            "наименьшее число дней с заказом, при котором нет снижения",
        ),
        "orders": ("orders in {} days", "заказов за {} дн."),
        "items": ("items in {} days", "товаров за {} дн."),
        "amount": ("amount in {} days", "сумма за {} дн."),
        "order_value": ("amount of an order, {} days", "сумма заказа, {} дн."),
        "orders_trend": ("rate of orders, {} days against {}", "темп заказов, {} дн. к {} дн."),
        "amount_trend": ("rate of amounts, {} days against {}", "темп сумм, {} дн. к {} дн."),
        "orders_to_past": (
            "rate of orders in {} days against the own past",
            "темп заказов за {} дн. к собственному прошлому",
        ),
        "orders_last_year": (
            "orders in the days of the horizon a year before",
            "заказов в дни горизонта годом ранее",
        ),
        "return_share": ("share returned, by amount, {} days", "доля возвратов по сумме, {} дн."),
        "mean_gap_days": ("mean days between orders", "дней между заказами в среднем"),
        "lateness": (
            "days since the last order, in mean gaps",
            "дней с последнего заказа, в средних промежутках",
        ),
        "orders_variability": (
            "unevenness of orders in {} days",
            "неравномерность заказов за {} дн.",
        ),
    },
    "product": {
        "items_per_order": ("items of an order, {} days", "товаров в заказе, {} дн."),
        "items_per_order_trend": (
            "items of an order, {} days against {}",
            "товаров в заказе, {} дн. к {} дн.",
        ),
        "price_to_store": (
            "price of an item against the store's, {} days",
            "цена товара к средней по магазину, {} дн.",
        ),
        "days_since_new_category": (
            "days since a category was bought for the first time",
            "дней с первой покупки в новой категории",
        ),
        "promo_to_store": (
            "share bought at a discount against the store's, {} days",
            "доля покупок со скидкой к доле по магазину, {} дн.",
        ),
        "categories": ("different categories in {} days", "разных категорий за {} дн."),
        TOP_CATEGORY: ("favourite category", "любимая категория"),
        "promo_share": (
            "share bought at a discount in {} days",
            "доля покупок со скидкой за {} дн.",
        ),
    },
    "site": {"minutes": ("minutes on the site in {} days", "минут на сайте за {} дн.")},
    "communication": {
        "contacts": ("marketing contacts in {} days", "маркетинговых контактов за {} дн.")
    },
}
_GROUP_OF = {stem: group for group, stems in _DESCRIPTIONS.items() for stem in stems}


def describe_columns(features: Iterable[str]) -> dict[str, Column]:
    """Return name, group, kind and descriptions of each feature, by column.

    >>> describe_columns(["orders_trend_30_90"])["orders_trend_30_90"].ru
    'темп заказов, 30 дн. к 90 дн.'
    """
    return {name: _describe_column(name) for name in features}


def _describe_column(name: str) -> Column:
    stem, days = name, list[str]()
    while (group := _GROUP_OF.get(stem)) is None:
        stem, _, last = stem.rpartition("_")
        days.insert(0, last)
    en, ru = _DESCRIPTIONS[group][stem]
    kind: Kind = "category" if name == TOP_CATEGORY else "number"
    names = (en.format(*days), ru.format(*days))
    return Column(name, group, kind, *names, is_ageing=name in AGEING)
