import pytest

from bluesky_gp.optimizer.misplaced import shift_due


@pytest.mark.parametrize(("n", "before", "due"), [(10, 0, True), (50, 41, False), (60, 50, True), (200, 100, True)])
def test_a_shift_is_looked_for_again_when_there_are_half_as_many_values_more(n, before, due):
    assert shift_due(n, before) is due


def test_in_a_run_to_410_it_is_looked_for_at_every_step_of_the_ladder():
    counts = range(10, 411, 10)
    looked = [n for n, before in zip(counts, [0, *counts], strict=False) if shift_due(n, before)]
    assert looked == [10, 20, 30, 40, 60, 90, 140, 210, 310]
