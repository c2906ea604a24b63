"""What is printed to be pasted makes the same thing again."""

import numpy as np
import pytest
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, Matern, WhiteKernel
from sklearn.preprocessing import PowerTransformer

from bluesky_gp.acquisition import BY_NAME, ConfidenceBound, ExpectedImprovement
from bluesky_gp.plain_data import describe
from bluesky_gp.rehearsal.as_code import as_code


def my_own(mean, std, best, *, rng):
    return std


@pytest.mark.parametrize(
    "value",
    [
        ConfidenceBound(beta=3.0),
        ExpectedImprovement(),
        *(made() for made in BY_NAME.values()),
        ConstantKernel(2.0) * Matern([3.0, 4.0], (0.7, 100.0), nu=1.5) + WhiteKernel(0.01),
        (ConstantKernel() + RBF(2.0)) * (RBF(3.0) + WhiteKernel(0.1, "fixed")),
        PowerTransformer(standardize=False),
        {"theta": [0.5, 1.0], "std": 0.5},
        None,
        0.5,
    ],
    ids=str,
)
def test_the_code_makes_the_same_object(value):
    code = as_code(value)
    names = {}
    exec("\n".join(code.imports), names)  # noqa: S102
    assert describe(eval(code.text, names)) == describe(value)  # noqa: S307


def test_defaults_are_left_out_and_imports_come_once():
    code = as_code(ConstantKernel() * RBF(2.0) + ConstantKernel() * RBF())
    assert code.text == "ConstantKernel() * RBF(length_scale=2.0) + ConstantKernel() * RBF()"
    assert len(code.imports) == 2


def test_a_function_is_called_by_its_name_and_an_array_becomes_a_list():
    assert as_code(my_own).text == "my_own"
    assert as_code(np.array([1.0, 2.0])).text == "[1.0, 2.0]"
