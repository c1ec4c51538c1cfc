"""Names and descriptions of the features of a purchase log, in English and Russian."""

from __future__ import annotations

from collections.abc import Iterable

from retain.customers.customers import Column, Kind

TOP_CATEGORY = "favourite_category"
_DESCRIPTIONS = {
    "days_since_order": ("purchase", "days since the last order", "дней с последнего заказа"),
    "tenure_days": ("purchase", "days since the first order", "дней с первого заказа"),
    "order_days": ("purchase", "days with an order so far", "дней с заказами за всё время"),
    "orders": ("purchase", "orders in {} days", "заказов за {} дн."),
    "items": ("purchase", "items in {} days", "товаров за {} дн."),
    "amount": ("purchase", "amount in {} days", "сумма за {} дн."),
    "order_value": ("purchase", "amount of an order, {} days", "сумма заказа, {} дн."),
    "orders_trend": (
        "purchase",
        "rate of orders, {} days against {}",
        "темп заказов, {} дн. к {} дн.",
    ),
    "amount_trend": (
        "purchase",
        "rate of amounts, {} days against {}",
        "темп сумм, {} дн. к {} дн.",
    ),
    "orders_to_past": (
        "purchase",
        "rate of orders in {} days against the own past",
        "темп заказов за {} дн. к собственному прошлому",
    ),
    "mean_gap_days": (
        "purchase",
        "mean days between orders",
        "дней между заказами в среднем",
    ),
    "lateness": (
        "purchase",
        "days since the last order, in mean gaps",
        "дней с последнего заказа, в средних промежутках",
    ),
    "orders_variability": (
        "purchase",
        "unevenness of orders in {} days",
        "неравномерность заказов за {} дн.",
    ),
    "items_per_order": ("product", "items of an order, {} days", "товаров в заказе, {} дн."),
    "categories": ("product", "different categories in {} days", "разных категорий за {} дн."),
    TOP_CATEGORY: ("product", "favourite category", "любимая категория"),
    "promo_share": (
        "product",
        "share bought at a discount in {} days",
        "доля покупок со скидкой за {} дн.",
    ),
    "minutes": ("site", "minutes on the site in {} days", "минут на сайте за {} дн."),
    "contacts": (
        "communication",
        "marketing contacts in {} days",
        "маркетинговых контактов за {} дн.",
    ),
}


def column_info(features: Iterable[str]) -> dict[str, Column]:
    """Return name, group, kind and descriptions of each feature, by column.

    >>> column_info(["orders_trend_30_90"])["orders_trend_30_90"].ru
    'темп заказов, 30 дн. к 90 дн.'
    """
    return {name: _describe_column(name) for name in features}


def _describe_column(name: str) -> Column:
    stem, days = name, list[str]()
    while stem not in _DESCRIPTIONS:
        stem, _, last = stem.rpartition("_")
        days.insert(0, last)
    group, en, ru = _DESCRIPTIONS[stem]
    kind: Kind = "category" if name == TOP_CATEGORY else "number"
    return Column(name, group, kind, en.format(*days), ru.format(*days))
