"""The columns of the exported tables: Russian headings, and what each column holds."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd


class Heading(NamedTuple):
    """A column: its Russian heading, and its meaning in both languages."""

    ru: str
    en_meaning: str
    ru_meaning: str


HEADINGS: dict[str, Heading] = {
    name: Heading(*texts)
    for name, *texts in (
        ("customer_id", "Клиент", "id of the customer", "id клиента"),
        ("segment", "Код сегмента", "key of the segment", "ключ сегмента"),
        ("segment_label", "Сегмент", "the segment", "сегмент"),
        ("label_en", "Название (англ.)", "name in English", "название по-английски"),
        ("label_ru", "Название", "name in Russian", "название по-русски"),
        (
            "known_class",
            "Задача",
            "win-back: labelled as declined already; retention: not",
            "win-back — уже отмечен как снизивший активность; retention — нет",
        ),
        ("offer", "Код предложения", "key of the offer", "ключ предложения"),
        ("label", "Предложение", "name of the offer", "название предложения"),
        ("channel", "Канал", "channel of the contact", "канал контакта"),
        ("text", "Текст", "what is sent, or said in a call", "что отправить или сказать"),
        ("code", "Промокод", "code that the customer names", "код, который называет клиент"),
        ("kind", "Вид", "offer, or care: a rule of service", "offer — предложение, care — забота"),
        ("step", "Шаг", "number of the contact", "номер контакта"),
        ("day", "День", "days after the first contact", "дней после первого контакта"),
        (
            "date",
            "Дата",
            "day of the contact, if a start is set",
            "день контакта, если задан старт",
        ),
        ("valid_until", "Действует до", "last day of the offer", "последний день предложения"),
        ("valid_days", "Действует дней", "days of validity", "сколько дней действует"),
        ("arm", "Группа", "treatment or control", "treatment — получает, control — нет"),
        ("assignment_id", "Номер назначения", "id of the random draw", "номер жеребьёвки"),
        ("score", "Оценка модели", "score of the model", "оценка модели"),
        (
            "origin",
            "Источник оценки",
            "which model scored: out_of_fold, sealed_test, new",
            "какая модель оценила: out_of_fold, sealed_test, new",
        ),
        (
            "risk",
            "Риск",
            "probability of a decline, calibrated",
            "вероятность снижения, калиброванная",
        ),
        ("risk_low", "Риск, от", "lower end of its interval", "нижняя граница интервала"),
        ("risk_high", "Риск, до", "upper end of its interval", "верхняя граница интервала"),
        ("contactable", "Согласие", "agreed to be contacted", "дал согласие на рассылку"),
        ("profit", "Прибыль в месяц", "profit a month", "прибыль в месяц"),
        (
            "profit_at_risk",
            "Прибыль под угрозой",
            "risk × value of a decline",
            "риск × потери при снижении",
        ),
        ("profit_at_risk_low", "Прибыль под угрозой, от", "lower end", "нижняя граница"),
        ("profit_at_risk_high", "Прибыль под угрозой, до", "upper end", "верхняя граница"),
        (
            "value_at_stake",
            "Потери при снижении",
            "profit lost if the customer declines",
            "потеря прибыли, если активность снизится",
        ),
        ("expected_cost", "Ожидаемые затраты", "over the horizon", "за весь горизонт"),
        ("expected_saved", "Сохранённая прибыль", "expected, forecast", "ожидаемая, прогноз"),
        (
            "expected_net",
            "Чистый эффект",
            "expected saved profit less cost",
            "ожидаемый, за вычетом затрат",
        ),
        ("expected_net_low", "Чистый эффект, от", "lower end, 95 %", "нижняя граница, 95 %"),
        ("expected_net_high", "Чистый эффект, до", "upper end, 95 %", "верхняя граница, 95 %"),
        ("drivers", "Причины", "what raises the risk, the offer's own first", "что повышает риск"),
        ("n_customers", "Клиентов", "customers", "клиентов"),
        ("share", "Доля", "share of all customers", "доля всех клиентов"),
        ("n_declined", "Снизили активность", "customers who declined", "снизивших активность"),
        ("expected_risk", "Ожидаемая доля снизивших", "mean risk", "средний риск"),
        ("expected_share", "Ожидаемая доля", "mean risk", "средний риск"),
        ("observed_share", "Наблюдаемая доля", "share that declined", "доля снизивших активность"),
        ("p", "p", "p-value of observed against expected", "p-значение: наблюдаемое и ожидаемое"),
        ("is_miscalibrated", "Риск неточен", "they differ beyond chance", "различие неслучайно"),
        ("total_profit", "Прибыль в месяц, всего", "profit a month", "прибыль в месяц"),
        (
            "observed_profit_at_risk",
            "Под угрозой, наблюдаемая",
            "of those who declined",
            "снизивших",
        ),
        (
            "observed_profit_at_risk_low",
            "Под угрозой, наблюдаемая, от",
            "lower end",
            "нижняя граница",
        ),
        (
            "observed_profit_at_risk_high",
            "Под угрозой, наблюдаемая, до",
            "upper end",
            "верхняя граница",
        ),
        ("expected_profit_at_risk", "Под угрозой, ожидаемая", "of everybody", "всех клиентов"),
        (
            "expected_profit_at_risk_low",
            "Под угрозой, ожидаемая, от",
            "lower end",
            "нижняя граница",
        ),
        (
            "expected_profit_at_risk_high",
            "Под угрозой, ожидаемая, до",
            "upper end",
            "верхняя граница",
        ),
        ("contactable_share", "Доля согласий", "share that agreed", "доля давших согласие"),
        ("is_small", "Мало клиентов", "fewer than the minimum", "меньше минимума"),
        ("jaccard", "Устойчивость", "mean Jaccard of resamples", "средний коэффициент Жаккара"),
        ("contrasts", "Отличия", "what distinguishes the segment", "чем отличается сегмент"),
        ("main", "Главное", "the segment's main offer", "главное предложение сегмента"),
        ("why", "Почему", "feature that raises the risk, of how many", "признак и у скольких"),
        ("n_chosen", "Отобрано", "chosen, the control group included", "с контрольной группой"),
        ("n_treated", "Получат", "customers who get it", "получат предложение"),
        ("n_control", "Контрольная группа", "who get nothing", "не получат ничего"),
        (
            "one_in",
            "Окупается при 1 из",
            "pays if one in so many is kept",
            "если удержать одного из",
        ),
        ("declined", "Снизил активность", "1 or 0: to be filled in", "1 или 0: заполнить"),
        ("contacted", "Контакт состоялся", "1 or 0: to be filled in", "1 или 0: заполнить"),
        ("cost", "Затраты", "actual cost: to be filled in", "фактические затраты: заполнить"),
        ("reason", "Причина", "why", "почему"),
    )
}
"""Columns by name; a column without a heading keeps its name."""
RUSSIAN = {name: heading.ru for name, heading in HEADINGS.items()}
ENGLISH = {heading: name for name, heading in RUSSIAN.items()}


def column_dictionary(language: str) -> pd.DataFrame:
    """Return the columns of the tables: ``column, heading, meaning``, in a language."""
    rows = [
        (name, name if language == "en" else one.ru, getattr(one, f"{language}_meaning"))
        for name, one in HEADINGS.items()
    ]
    return pd.DataFrame(rows, columns=["column", "heading", "meaning"])
