"""A recommendation on seeds that it was not made from."""

from dataclasses import replace

import numpy as np

from bluesky_gp.rehearsal.confirmation import check, confirm


def test_a_recommendation_is_checked_on_other_seeds(rehearsal):
    checked = check(rehearsal, n_jobs=1)
    assert checked.seeds == (2, 3)
    assert checked.tried == rehearsal.recommended
    assert checked.holds and checked.found >= 1


def test_one_that_does_not_hold_is_made_anew_with_the_seeds_that_showed_it(rehearsal):
    lucky = [
        replace(run, error=np.full_like(run.error, 0.01), best=np.full_like(run.best, run.best[-1]))
        for run in rehearsal.by_method["ei"]
    ]
    too_good = replace(rehearsal, configurations=rehearsal.configurations[:1], runs=tuple(lucky))
    confirmed, checks = confirm(too_good, rounds=6, n_jobs=1)
    assert [done.holds for done in checks] == [False] * (len(checks) - 1) + [True]
    assert len(checks) > 1
    assert confirmed.recommended.error > 10 * too_good.recommended.error
    assert checks[-1].tried == confirmed.recommended
