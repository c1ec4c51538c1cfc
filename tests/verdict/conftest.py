import pytest

from retain.schema import ComparisonConfig


@pytest.fixture
def judging():
    return ComparisonConfig(
        alpha=0.05, rope=0.01, choice="best", complexity=("dummy", "logreg", "knn", "svc")
    )
