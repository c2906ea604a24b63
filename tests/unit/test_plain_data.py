import json
from dataclasses import dataclass
from functools import partial

import numpy as np
import pytest
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, DotProduct, Matern, WhiteKernel
from sklearn.preprocessing import QuantileTransformer

from bluesky_gp.acquisition import ExpectedImprovement
from bluesky_gp.gp import RotatedMatern
from bluesky_gp.optimizer import MaxPixels
from bluesky_gp.plain_data import DescriptionError, describe, make
from bluesky_gp.scalarizers import NetCounts


@dataclass(frozen=True)
class Mixture:
    parts: tuple
    weights: np.ndarray


class Plain:
    def __call__(self, mean, std, best, *, rng):
        return mean


def greedy(mean, std, best, *, rng):
    return mean


VALUES = [
    ConstantKernel(2.0, "fixed") * Matern([1.0, 2.0], nu=2.5) + WhiteKernel(0.1, (1e-3, 1.0)),
    RotatedMatern(np.array([3.0, 4.0])) ** 2 + RBF(np.float64(2.0)),
    ExpectedImprovement(0.1),
    Mixture((ExpectedImprovement(), MaxPixels(3)), np.array([0.5, np.float32(0.5)])),
    Plain(),
    greedy,
    partial(greedy, 1),
    lambda mean, std, best, rng: std,
    None,
    True,
    "text",
    np.int64(3),
]


@pytest.mark.parametrize("value", VALUES, ids=[type(value).__name__ for value in VALUES])
def test_a_description_is_plain_data_and_the_same_each_time(value):
    plain = describe(value)
    assert json.loads(json.dumps(plain)) == plain
    assert "0x" not in json.dumps(plain)


def test_parameters_are_told_with_the_class_that_takes_them():
    assert describe(ExpectedImprovement(0.1)) == {
        "class": "bluesky_gp:ExpectedImprovement",
        "xi": 0.1,
    }
    assert describe(RBF(2.0, "fixed") + WhiteKernel(0.5)) == {
        "class": "sklearn.gaussian_process.kernels:Sum",
        "k1": {
            "class": "sklearn.gaussian_process.kernels:RBF",
            "length_scale": 2.0,
            "length_scale_bounds": "fixed",
        },
        "k2": {
            "class": "sklearn.gaussian_process.kernels:WhiteKernel",
            "noise_level": 0.5,
            "noise_level_bounds": [1e-05, 100000.0],
        },
    }


def test_a_function_of_the_user_is_told_by_its_name():
    assert describe(greedy) == "greedy"
    assert describe(Plain()).endswith(":Plain")


PLAIN = {"class": "bluesky_gp:ExpectedImprovement", "xi": 0.5}

MADE = [
    ConstantKernel(2.0, "fixed") * Matern([1.0, 2.0], nu=2.5) + WhiteKernel(0.1, (1e-3, 1.0)),
    RotatedMatern(np.array([3.0, 4.0]), skew=1.3),
    Matern(2.0, nu=np.inf),
    DotProduct(1.5) ** 2,
    ExpectedImprovement(0.1),
    MaxPixels(3),
    NetCounts(edge=(3.0, 4.0), background=(1.0, 2.0)),
    QuantileTransformer(n_quantiles=7, output_distribution="normal"),
    {"theta": [0.1, 0.2], "std": 0.5},
    None,
    3,
]


@pytest.mark.parametrize("value", MADE, ids=[type(value).__name__ for value in MADE])
def test_what_is_made_from_a_description_has_the_same_description(value):
    plain = json.loads(json.dumps(describe(value)))
    made = make(plain)
    assert type(made) is type(value) and describe(made) == plain
    if hasattr(value, "theta"):
        assert np.array_equal(made.theta, value.theta) and np.array_equal(made.bounds, value.bounds)


@pytest.mark.parametrize(
    "name",
    [
        "os:system",
        "builtins:eval",
        "subprocess:Popen",
        "bluesky_gp.cli.__main__:main",
        "bluesky_gp.cli.demo:demo",
        "bluesky_gp:Journal",  # ours, but no value
        "bluesky_gp.acquisition:np",
        "bluesky_gp.acquisition:dataclass",
        "bluesky_gp:__import__",
        "bluesky_gp:GPAgent",  # no value either
        "bluesky_gp.acquisition:__import__",
        "sklearn.gaussian_process.kernels:Kernel.clone",
        "sklearn.gaussian_process.kernels:clone",
        "sklearn.preprocessing._function_transformer:FunctionTransformer",
        "sklearn.pipeline:Pipeline",
        "bluesky_gp.nothing:Here",
        "acquisition",
        "",
    ],
)
def test_any_other_class_is_refused(name):
    with pytest.raises(DescriptionError):
        make({"class": name})


def test_parameters_that_the_class_does_not_take_are_refused():
    with pytest.raises(
        DescriptionError, match="Improvement does not take what is recorded .*: there is no setting 'comm"
    ):
        make({**PLAIN, "command": "rm"})


def test_a_misspelt_class_or_parameter_is_answered_with_what_may_be_meant():
    with pytest.raises(DescriptionError, match=r"no setting 'betta', there are beta; did you mean 'beta'\?"):
        make({"class": "bluesky_gp:ConfidenceBound", "betta": 2.0})
    with pytest.raises(DescriptionError, match=r"no 'bluesky_gp:ConfidenceBond': .*; did you mean 'ConfidenceBound'\?"):
        make({"class": "bluesky_gp:ConfidenceBond"})


def test_a_description_inside_another_is_refused_as_well():
    with pytest.raises(DescriptionError):
        make({"class": "sklearn.gaussian_process.kernels:Sum", "k1": {"class": "os:system"}, "k2": 1.0})
