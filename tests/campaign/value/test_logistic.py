import numpy as np
import pytest
from scipy import optimize, special
from statsmodels.discrete.discrete_model import Logit
from statsmodels.genmod.families import Binomial
from statsmodels.genmod.generalized_linear_model import GLM

from retain.campaign.value.logistic import fit_logistic


@pytest.fixture
def drawn():
    random = np.random.default_rng(0)
    design = np.column_stack([np.ones(400), random.standard_normal((400, 2)) * [1, 30]])
    chance = special.expit(design @ [-0.5, 0.8, 0.02])
    return design, (random.random(400) < chance).astype(int)


def test_estimates_and_covariance_are_those_of_statsmodels(drawn):
    design, target = drawn
    theirs = Logit(target, design).fit(disp=False, tol=1e-12)
    ours = fit_logistic(design, target, np.ones(400))
    assert ours.coefficients == pytest.approx(theirs.params, rel=1e-6)
    assert ours.covariance == pytest.approx(theirs.cov_params(), rel=1e-6)
    assert ours.log_likelihood == pytest.approx(theirs.llf)


def test_clusters_have_the_sandwich_of_statsmodels(drawn):
    design, target = drawn
    clusters = np.arange(400) // 4
    weight = np.full(400, 0.25)
    theirs = GLM(target, design, family=Binomial(), freq_weights=weight).fit()
    robust = GLM(target, design, family=Binomial()).fit(
        cov_type="cluster", cov_kwds={"groups": clusters, "use_correction": False}
    )
    ours = fit_logistic(design, target, weight, clusters=clusters)
    assert ours.coefficients == pytest.approx(theirs.params, rel=1e-6)
    assert ours.covariance == pytest.approx(robust.cov_params() * 100 / 99, rel=1e-5)


# A row that stands in five repeats says no more than one row.
def test_repeated_rows_say_as_much_as_one(drawn):
    design, target = drawn
    one = fit_logistic(design, target, np.ones(400), clusters=np.arange(400))
    five = fit_logistic(
        np.tile(design, (5, 1)),
        np.tile(target, 5),
        np.full(2000, 0.2),
        clusters=np.tile(np.arange(400), 5),
    )
    assert five.coefficients == pytest.approx(one.coefficients, rel=1e-6)
    assert five.covariance == pytest.approx(one.covariance, rel=1e-6)


def test_a_coefficient_held_at_0_leaves_the_best_of_the_others(drawn):
    design, target = drawn
    design = design * [1, -1, 1]
    held = fit_logistic(design, target, np.ones(400), nonnegative=(1, 2))

    def loss(beta):
        eta = design @ beta
        return np.sum(np.logaddexp(0, eta) - target * eta)

    bounds = [(None, None), (0, None), (0, None)]
    best = optimize.minimize(loss, np.zeros(3), bounds=bounds, method="L-BFGS-B")
    assert held.coefficients[1] == 0
    assert (held.covariance[1] == 0).all()
    assert loss(held.coefficients) == pytest.approx(best.fun, rel=1e-6)


def test_a_flat_or_a_doubled_column_is_no_trouble(drawn):
    design, target = drawn
    doubled = np.column_stack([design, np.ones(400), design[:, 1]])
    found = fit_logistic(doubled, target, np.ones(400))
    one = fit_logistic(design, target, np.ones(400))
    assert doubled @ found.coefficients == pytest.approx(design @ one.coefficients, abs=1e-4)
    assert np.isfinite(found.covariance).all()


def test_classes_that_are_separated_stay_finite_under_a_weak_prior():
    design = np.column_stack([np.ones(40), np.linspace(-1, 1, 40)])
    found = fit_logistic(design, (design[:, 1] > 0).astype(int), np.ones(40), ridge=0.01)
    assert 0 < found.coefficients[1] < 100
    assert np.isfinite(found.covariance).all()
