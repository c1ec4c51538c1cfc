import pytest

from retain.schema.compare import ComparisonConfig


@pytest.fixture
def comparison():
    return ComparisonConfig(
        alpha=0.05, rope=0.01, rule="best", complexity_order=("dummy", "logreg", "knn", "svc")
    )
