"""Jobs on all cores."""

from bluesky_gp.rehearsal.parallel import run_all


def test_how_far_it_is_is_told_and_results_keep_the_order_of_the_jobs():
    told = []
    results, seconds = run_all([lambda n=n: n * n for n in range(5)], 1, lambda done, total: told.append((done, total)))
    assert results == [0, 1, 4, 9, 16]
    assert told == [(n, 5) for n in range(1, 6)]
    assert seconds >= 0.0
