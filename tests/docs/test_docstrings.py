"""The examples in docstrings give what they say."""

import doctest
import importlib
import pkgutil

import pytest

import bluesky_gp

MODULES = ["bluesky_gp", *(found.name for found in pkgutil.walk_packages(bluesky_gp.__path__, "bluesky_gp."))]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_give_what_they_say(name):
    if name.endswith("__main__"):
        pytest.skip("it would run")
    try:
        module = importlib.import_module(name)
    except ImportError as error:
        pytest.skip(f"needs an extra: {error}")
    assert doctest.testmod(module, optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE).failed == 0
