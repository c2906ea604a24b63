"""Maps as levels of grey."""

import numpy as np
import pytest

from bluesky_gp.view.frames import Frame, FrameStore, image


def test_levels_give_the_values_back_to_half_a_step():
    values = np.random.default_rng(0).standard_normal((20, 30))
    low, high, levels = image(values)
    assert levels.min() == 1 and levels.max() == 255
    np.testing.assert_allclose(low + (levels - 1.0) / 254 * (high - low), values, atol=0.51 * (high - low) / 254)


def test_what_is_no_number_has_level_zero_and_infinities_the_ends():
    low, high, levels = image(np.array([np.nan, -np.inf, 0.0, 1.0, np.inf]))
    assert (low, high, levels.tolist()) == (0.0, 1.0, [0, 1, 1, 255, 255])


@pytest.mark.parametrize("values", [[np.nan, np.nan], [-np.inf, np.nan]])
def test_a_map_without_a_number_has_no_limits(values):
    assert image(np.array(values))[:2] == (None, None)


def test_a_map_of_one_value_is_shown():
    assert image(np.full(3, 7.0))[:2] == (7.0, 7.0)


def test_of_an_acquisition_that_falls_without_end_the_lowest_are_not_told_apart():
    low, high, _ = image(np.append(np.linspace(0.0, 1.0, 99), -1e300), cut=0.02)
    assert -0.1 < low < 0.1 and high == 1.0


def test_frames_beyond_the_memory_they_may_take_are_let_go_the_oldest_first():
    store = FrameStore(largest=2500)
    for number in range(4):
        store.put("a", Frame(number, "recorded", bytes(1000)))
    assert [store.get("a", number) is not None for number in range(4)] == [False, False, True, True]
    assert store.nearest("a", 0).decision == 2
    assert store.nearest("b", 0) is None
