"""Slips of a new user, answered in a sentence before anything moves."""

import numpy as np
import pytest
from sklearn.gaussian_process.kernels import RBF
from sklearn.preprocessing import PowerTransformer

from bluesky_gp import ExpectedImprovement, PixelGrid, PixelOptimizer
from bluesky_gp.acquisition import BY_NAME
from bluesky_gp.optimizer import MaxPixels, Mixed, Sobol

GRID = PixelGrid((5, 5))


def mean_alone(mean):
    return mean


SLIPS = {
    "the class of an acquisition function": (
        {"acquisition": ExpectedImprovement},
        "give an object, ExpectedImprovement",
    ),
    "a misspelt name of one": (
        {"acquisition": "ubc"},
        r"no acquisition function 'ubc', there are ei, pi, ucb, .*; did you mean 'ucb'\?",
    ),
    "any name": ({"acquisition": "expected"}, "no acquisition function 'expected', there are ei, pi"),
    "a number for one": ({"acquisition": 2}, "must be an acquisition function or its name, got 2"),
    "the name of a kernel": ({"kernel": "rbf"}, "kernel must be a kernel of scikit-learn, .* got 'rbf'"),
    "the class of a kernel": ({"kernel": RBF}, r"kernel is the class RBF; give an object, RBF\(...\)"),
    "a batch of half a pixel": ({"batch_size": 10.0}, "batch_size must be a whole number, got 10.0"),
    "a text for a number": ({"n_initial": "10"}, "n_initial must be a whole number, got '10'"),
    "True for a number": ({"batch_size": True}, "batch_size must be a whole number, got True"),
    "a seed with a fraction": ({"seed": 1.5}, "seed must be a whole number, got 1.5"),
    "a strategy's class": ({"batch": Mixed}, r"batch is a share between 0 and 1, a strategy .* got <class"),
    "a share in words": ({"batch": "half"}, "batch is a share between 0 and 1, a strategy .* got 'half'"),
    "True for a share": ({"batch": True}, "batch is a share between 0 and 1, a strategy .* got True"),
    "two purposes": (
        {"purpose": ["map", "maximum"]},
        r"purpose is one of maximum, map, both, got \['map', 'maximum'\]",
    ),
    "a distance as a text": ({"min_distance": "2"}, "min_distance must be a distance in pixels, got '2'"),
    "no distance": ({"min_distance": None}, "min_distance must be a distance in pixels, got None"),
    "a distance below zero": ({"min_distance": -1.0}, "min_distance must be a distance in pixels, got -1.0"),
    "a design's class": ({"initial": Sobol}, r"initial is a name, pixels or a design such as Sobol\(\), got <class"),
    "a number for a design": ({"initial": 10}, r"initial is a name, pixels or a design such as Sobol\(\), got 10"),
    "a pixel between two": ({"initial": [(0.5, 1)]}, r"a pixel to begin with is whole numbers, .* got \(0.5, 1\)"),
    "texts for pixels": ({"initial": ["a1"]}, "a pixel to begin with is whole numbers, .* got 'a1'"),
    "None for no rule": ({"stopping": None}, r"stopping must be a list of rules, got None: give \[\] for none"),
    "None for no names": ({"others": None}, "others must be a list of names, got None"),
    "a mean of a value that is whole": ({"mean": 3}, "mean is a polynomial of degree 0, 1 or 2, got 3: a value is 3.0"),
    "no pixels at first": ({"n_initial": 0}, "n_initial must be at least 1, got 0"),
    "a direction in words": ({"maximize": "MAXIMIZE"}, "maximize must be True or False, got 'MAXIMIZE'"),
    "one rule": ({"stopping": MaxPixels(3)}, r"stopping must be a list of rules, got MaxPixels\(num=3\): give \["),
    "the class of a rule": ({"stopping": [MaxPixels]}, "a stopping rule is called with a state"),
    "a number for a rule": ({"stopping": [100]}, "a stopping rule is called with a state, .* got 100"),
    "one name": ({"others": "tilt"}, r"others must be a list of names, got the text 'tilt': give \['tilt'\]"),
    "a mean in words": ({"mean": "linear"}, "mean must be None, 1, 2, a number, a map or a function, got 'linear'"),
    "a prior without its numbers": (
        {"prior": {"length": 3.0}},
        r"prior must be a mapping {'theta': .* got {'length': 3.0}",
    ),
    "a prior as a list": ({"prior": [1.0, 2.0]}, r"prior must be a mapping .* got \[1.0, 2.0\]"),
    "a function without inverse": (
        {"transform": np.log},
        "transform must be a transformer .* with an inverse, .* 'log'",
    ),
    "the name of a transformation": ({"transform": "log"}, "transform must be a transformer .* got 'log'"),
    "the class of one": ({"transform": PowerTransformer}, r"give an object, PowerTransformer\(...\)"),
    "outliers as a switch": ({"outliers": True}, "outliers must be a number, got True"),
    "a function of the mean alone": (
        {"acquisition": mean_alone},
        r"called as acquisition\(mean, std, best, rng=rng\), not mean_alone\(mean\): too many",
    ),
    "a version that there is not": ({"numerics": "3"}, "numerics is one of 0.1, 0.2, 0.3, got '3'"),
    "restarts with a fraction": ({"n_restarts": 1.0}, "n_restarts must be a whole number, got 1.0"),
}


@pytest.mark.parametrize(("settings", "sentence"), SLIPS.values(), ids=SLIPS)
def test_a_slip_is_answered_in_a_sentence(settings, sentence):
    with pytest.raises((TypeError, ValueError), match=sentence):
        PixelOptimizer(GRID, "height", **settings)


@pytest.mark.parametrize("name", BY_NAME)
def test_the_name_of_an_acquisition_function_stands_for_it_in_the_record_too(name):
    by_name, by_object = (PixelOptimizer(GRID, "height", acquisition=given) for given in (name, BY_NAME[name]()))
    assert by_name.describe() == by_object.describe()


def test_a_target_that_is_no_key_is_named():
    with pytest.raises(TypeError, match="target must be the key of the number to map, a text, got 3"):
        PixelOptimizer(GRID, 3)


def test_a_shape_for_a_grid_is_named():
    with pytest.raises(TypeError, match=r"a grid is a PixelGrid, or a mapping .* got \(50, 50\)"):
        PixelOptimizer((50, 50), "height")


def test_a_value_that_is_infinite_is_refused_and_nothing_is_learnt():
    optimizer = PixelOptimizer(GRID, "height")
    with pytest.raises(ValueError, match="height is inf; a pixel that failed has NaN"):
        optimizer.ingest([{"row": 0, "col": 0, "height": 1.0}, {"row": 1, "col": 0, "height": np.inf}])
    assert optimizer.state.n_attempted == 0


@pytest.mark.parametrize("num", [2.5, 3.0, "2", True])
def test_a_number_of_points_that_is_not_whole_is_named(num):
    with pytest.raises(TypeError, match=f"num_points must be a whole number, got {num!r}"):
        PixelOptimizer(GRID, "height").suggest(num)


@pytest.mark.parametrize("points", [{"_id": 1, "height": 1.0}, None, [(1, 2.0)], "height", [3]])
def test_points_that_are_no_list_of_mappings_are_named_and_nothing_is_learnt(points):
    optimizer = PixelOptimizer(GRID, "height")
    with pytest.raises(TypeError, match=r"points are a list such as \[\{'_id': 3, 'height': 1.7\}\], got"):
        optimizer.ingest(points)
    with pytest.raises(TypeError, match="points are a list"):
        optimizer.register_failures(points)
    assert optimizer.state.n_attempted == 0


@pytest.mark.parametrize("value", ["1.0", 1j, 10**400, None])
def test_a_value_that_is_no_number_is_named(value):
    with pytest.raises(ValueError, match="height must be a number, got"):
        PixelOptimizer(GRID, "height").ingest([{"_id": 1, "height": value}])


def test_one_pixel_for_a_list_of_pending_ones_is_named():
    with pytest.raises(TypeError, match=r"pending is a list of flat indices, got 3: give \[3\]"):
        PixelOptimizer(GRID, "height").suggest(2, pending=3)


def test_numbers_of_numpy_are_whole_numbers():
    assert len(PixelOptimizer(GRID, "height", batch_size=np.int64(3), seed=np.uint8(4)).suggest()) == 3


def test_a_function_with_further_defaults_or_any_arguments_is_an_acquisition_function():
    for taken in (lambda mean, std, best, rng=None, xi=0.1: mean, lambda *given, **named: given[0]):
        assert PixelOptimizer(GRID, "height", acquisition=taken).acquisition is taken
