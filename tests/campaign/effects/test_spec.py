import numpy as np
import pytest
from hydra import compose, initialize_config_dir
from lightgbm import LGBMClassifier
from omegaconf import OmegaConf

from retain.campaign.effects.learners import learn_effects
from retain.campaign.effects.spec import build_effects_spec
from retain.errors import RetainError
from retain.schema.effects import Effects
from retain.schema.parsing import parse
from retain.storage.paths import conf_dir

from .trials import make_trial

OPTIONS = sorted(path.stem for path in (conf_dir() / "effects").glob("*.yaml"))


def read_option(name, *overrides):
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        tree = compose("run", overrides=[f"+effects={name}", *overrides])
    return parse(Effects, OmegaConf.to_container(tree.effects, resolve=True))


@pytest.mark.parametrize("name", OPTIONS)
def test_every_option_is_built_and_learns(name):
    effects = read_option(name)
    assert effects.name == name
    spec = build_effects_spec(effects, seed=3)
    if name == "none":
        assert spec is None
        return
    assert (spec.learner, spec.n_folds, spec.seed) == (name, 5, 3)
    assert isinstance(spec.outcome.model, LGBMClassifier)
    for model in (spec.outcome.model, spec.effect.model):
        model.set_params(n_estimators=3)
    assert np.isfinite(learn_effects(make_trial(90), spec).effects).all()


def test_models_of_outcomes_and_of_effects_are_chosen_apart():
    spec = build_effects_spec(
        read_option("dr_learner", "model@effects.effect=logreg", "scaling@effects.scaling=none"), 0
    )
    assert type(spec.effect.model).__name__ == "LogisticRegression"
    assert spec.outcome.scaling is None


def test_a_learner_without_a_model_says_so():
    with pytest.raises(RetainError, match=r"effects\.outcome: key '_target_' is missing"):
        build_effects_spec(Effects(name="mean"), seed=0)
    with pytest.raises(RetainError, match=r"effects\.outcome\._target_: it is null"):
        build_effects_spec(Effects(name="mean", outcome={"_target_": None}), seed=0)
