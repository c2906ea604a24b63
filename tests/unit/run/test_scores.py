"""What the map of an acquisition function shows, in words."""

import pytest

from bluesky_gp import ConfidenceBound, ExpectedImprovement, MaxValueEntropy
from bluesky_gp.acquisition import Product, Sum
from bluesky_gp.plain_data import describe
from bluesky_gp.run import scores_in_words


@pytest.mark.parametrize(
    ("acquisition", "words"),
    [
        (ExpectedImprovement(), "logarithm of expected improvement"),
        (ConfidenceBound(), "confidence bound"),
        (MaxValueEntropy(), "logarithm of max value entropy"),
        (Product((ExpectedImprovement(), ConfidenceBound())), "logarithm of product"),
        (Sum((ConfidenceBound(), ConfidenceBound())), "sum"),
    ],
)
def test_scores_have_the_name_of_their_function_and_logarithms_are_called_so(acquisition, words):
    assert scores_in_words({"acquisition": describe(acquisition)}) == words


def test_of_a_function_of_somebodys_own_the_name_is_all_that_is_known():
    assert scores_in_words({"acquisition": "brightest_first"}) == "brightest_first"
    assert scores_in_words({"acquisition": {"class": "their_module:Brightest"}}) == "brightest"
    assert scores_in_words({}) == "acquisition"
