import pytest

from retain.schema import Judging


@pytest.fixture
def judging():
    return Judging(
        alpha=0.05, rope=0.01, choice="best", complexity=("dummy", "logreg", "knn", "svc")
    )
