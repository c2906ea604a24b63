"""Settings that commands take by name."""

import pytest

from bluesky_gp import PixelGrid, PixelOptimizer
from bluesky_gp.acquisition import BY_NAME
from bluesky_gp.cli.choices import ACQUISITIONS, KERNELS, default_batch, make_acquisition, make_kernel


def test_batches_are_a_tenth_of_few_pixels_and_ten_of_many():
    assert [default_batch(num) for num in (1, 9, 45, 100, 410)] == [1, 1, 4, 10, 10]


@pytest.mark.parametrize("name", KERNELS)
def test_every_kernel_can_be_given_to_an_optimizer(name):
    kernel = make_kernel(name)
    assert (kernel is None) == (name == "default")
    assert PixelOptimizer(PixelGrid((5, 4)), "height", kernel=kernel).suggest(2)


@pytest.mark.parametrize("name", ACQUISITIONS)
def test_every_acquisition_function_is_the_one_of_that_name(name):
    assert type(make_acquisition(name)) is BY_NAME[name]
