import json
from dataclasses import dataclass
from functools import partial

import numpy as np
import pytest
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, Matern, WhiteKernel

from bluesky_gp.acquisition import ExpectedImprovement
from bluesky_gp.description import describe
from bluesky_gp.kernels import RotatedMatern
from bluesky_gp.stopping import MaxPixels


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
    assert describe(ExpectedImprovement(0.1)) == {"class": "bluesky_gp.acquisition:ExpectedImprovement", "xi": 0.1}
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
