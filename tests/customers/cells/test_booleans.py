"""The names by which a target says who leaves and who stays."""

import pytest

from retain.customers.cells.booleans import says_staying


@pytest.mark.parametrize(
    "name",
    [
        *("Retained", "is_active", "ISACTIVE", "Actif", "aktiv", "Customer", "Member", "Returned"),
        *("no_churn", "NotChurned", "non-churn", "unchurned", "Not lost", "without churn"),
        *("Не ушёл", "не_ушел", "Nicht gekündigt", "Лояльный клиент", "Возврат", "Купил снова"),
        *(
            "will_buy",
            "geblieben",
            "Bestandskunde",
            "活跃",
            "purchased",
            "order_in_90_days",
            "open",
        ),
        *(
            "reordered",
            "is_client",
            "came_back",
            "still here",
            "Responded",
            "never_churned",
            "Подписан",
        ),
    ],
)
def test_a_name_that_says_who_stays_asks_for_the_answer(name):
    assert says_staying(name)


@pytest.mark.parametrize(
    "name",
    [
        *("churn", "is_churned", "customer_churned", "left", "lost_customer", "Attrition_Flag"),
        *("inactive", "cancelled_subscription", "not_retained", "noncustomer", "target", "y"),
        *("отток", "ушёл", "gekündigt", "declined", "closed_account", "stopped_buying"),
    ],
)
def test_a_name_that_says_who_leaves_or_nothing_does_not(name):
    assert not says_staying(name)
