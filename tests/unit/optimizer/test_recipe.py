"""Settings of an optimizer: checked, written, read from records of any age."""

import json

import numpy as np
import pytest
from sklearn.gaussian_process.kernels import RBF, WhiteKernel

from bluesky_gp import ConfidenceBound, PixelGrid, PixelOptimizer
from bluesky_gp.optimizer.recipe import Recipe
from bluesky_gp.optimizer.stopping import MaxPixels

GRID = PixelGrid((6, 7), axes=("row", "col"))
SETTINGS = {
    "defaults": {},
    "a kernel": {"kernel": RBF(2.0) + WhiteKernel(0.1), "prior": {"theta": [0.1, -2.0], "std": 0.3}},
    "a purpose": {"purpose": "map", "maximize": False, "seed": 2**52, "outliers": 3.0},
    "a rule and a design": {"acquisition": ConfidenceBound(2.5), "initial": "sobol", "n_initial": 4},
    "a map of the mean": {"mean": np.arange(42.0).reshape(6, 7), "min_distance": 1.5, "batch_size": 3},
}


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_a_recipe_read_from_its_own_text_writes_the_same_text(settings):
    plain = json.loads(json.dumps(Recipe(GRID, "height", **settings).to_mapping()))
    again = Recipe.of(plain)
    assert json.loads(json.dumps(again.to_mapping())) == {**plain, "stopping": [], "purpose": None}  # as its share


def test_an_optimizer_is_made_of_its_recipe():
    recipe = Recipe(GRID, "height", batch_size=3, seed=5, stopping=(MaxPixels(9),))
    assert PixelOptimizer.of(recipe).describe() == recipe.to_mapping()


def test_what_a_record_lacks_was_the_default_of_its_day():
    plain = Recipe(GRID, "height").to_mapping()
    older = {name: value for name, value in plain.items() if name not in ("min_distance", "initial", "others")}
    assert Recipe.of({**older, "batch": None}).to_mapping()["batch"] == 0.5
    assert Recipe.of(older).min_distance == 0.0 and Recipe.of(older).initial == "random"


def test_a_record_that_names_no_arithmetic_is_decided_by_that_of_0_1():
    plain = Recipe(GRID, "height").to_mapping()
    assert plain.pop("numerics") == "0.3"
    earlier, today = Recipe.of(plain).model(), Recipe(GRID, "height").model()
    assert not earlier.choice.by_curvature and today.choice.by_curvature
    covariances = [model.beginning("height").covariance for model in (earlier, today)]
    assert [getattr(covariance, "near") for covariance in covariances] == [False, True]  # noqa: B009, of a lattice's only


def test_the_old_spelling_of_a_class_is_read():
    plain = Recipe(GRID, "height", acquisition=ConfidenceBound(2.5)).to_mapping()
    plain["acquisition"]["class"] = "bluesky_gp.acquisition:ConfidenceBound"
    assert Recipe.of(plain).acquisition == ConfidenceBound(2.5)


def test_settings_given_take_the_place_of_those_recorded():
    plain = Recipe(GRID, "height").to_mapping()
    assert (
        Recipe.of({**plain, "acquisition": "my_rule"}, acquisition=ConfidenceBound()).acquisition == ConfidenceBound()
    )
    with pytest.raises(ValueError, match=r"acquisition was a function of somebody's own, 'my_rule': give it"):
        Recipe.of({**plain, "acquisition": "my_rule"})


@pytest.mark.parametrize("name", ["grid", "optimizer_target", "kernel", "batch_size", "n_initial", "maximize", "seed"])
def test_what_is_needed_and_missing_is_named(name):
    plain = Recipe(GRID, "height").to_mapping()
    del plain[name]
    with pytest.raises(ValueError, match=rf"lacks \['{name}'\] under 'gp'"):
        Recipe.of(plain)


@pytest.mark.parametrize("name", ["prior", "outliers", "transform", "mean"])
def test_an_option_that_a_record_lacks_was_not_used(name):
    plain = Recipe(GRID, "height").to_mapping()
    del plain[name]
    assert getattr(Recipe.of(plain), name) is None


def test_a_record_with_other_priors_of_the_default_kernel_is_refused():
    plain = Recipe(GRID, "height").to_mapping()
    assert Recipe.of(plain).kernel is None
    other = {**plain["default_prior"], "mean": [0.5, *plain["default_prior"]["mean"][1:]]}
    with pytest.raises(ValueError, match="with priors of its own"):
        Recipe.of({**plain, "default_prior": other})


def test_the_priors_are_recorded_of_the_default_kernel_alone():
    own = Recipe(GRID, "height", kernel=RBF(2.0) + WhiteKernel(0.1))
    theta = Recipe(GRID, "height").model().choice.kernel.theta
    believed = Recipe(GRID, "height", prior={"theta": theta.tolist(), "std": 0.5})
    assert own.to_mapping()["default_prior"] is None and believed.to_mapping()["default_prior"] is None
