"""What the optimizer knew at a decision is found again in the record."""

import numpy as np
import pytest

from bluesky_gp.view.moments import Moment, maps_of


@pytest.mark.parametrize("kind", ["usual", "failed", "one axis", "three axes", "constant", "steered"])
def test_maps_out_of_the_record_are_those_that_were_recorded(place, kinds, kind):
    run = place.followed(kinds[1][kind])
    record = run.record()
    for number, iteration in enumerate(record.iterations["iteration"].tolist()):
        if run.has_maps(iteration):
            recorded, recalled = run.maps(iteration), maps_of(Moment(record, number))
            for name in ("mean", "std"):
                np.testing.assert_allclose(
                    recalled[name], recorded[name], rtol=1e-5, atol=1e-6 * np.ptp(recorded["mean"])
                )
            candidates = ~np.isnan(recorded["acquisition"])
            np.testing.assert_array_equal(~np.isnan(recalled["acquisition"]), candidates)


def test_the_batch_is_chosen_again_and_every_pixel_has_a_reason(place, kinds):
    record = place.followed(kinds[1]["usual"]).record()
    first, later = Moment(record, 0), Moment(record, 4)
    assert first.choice.by_design and not first.choice.pursued
    assert set(later.choice.pursued) == set(later.proposed) and not later.choice.by_design
    assert True in later.choice.pursued.values() and False in later.choice.pursued.values()


def test_the_record_as_of_a_decision_has_what_was_known_then(place, kinds):
    moment = Moment(place.followed(kinds[1]["usual"]).record(), 3)
    assert len(moment.as_of().outcomes) == 15
    assert len(moment.as_of().iterations["iteration"]) == 4


def test_a_decision_that_is_not_there_is_said(place, kinds):
    with pytest.raises(ValueError, match="has 9 decisions, and none of number 9"):
        Moment(place.followed(kinds[1]["usual"]).record(), 9)


def test_what_people_asked_for_holds_when_a_decision_is_made_again(place, kinds):
    record = place.followed(kinds[1]["steered"]).record()
    for number in range(len(record.iterations["iteration"])):
        moment = Moment(record, number)
        again = (
            {*moment.by_hand, *record.grid.ravel(moment.choice.proposal.pixels).tolist()} if moment.proposed else set()
        )
        assert again == set(moment.proposed)
    heeded = [moment for moment in (Moment(record, n) for n in range(8)) if moment.by_hand]
    assert [record.grid.unravel(moment.by_hand).tolist() for moment in heeded] == [[[5, 5]]]
    assert type(heeded[0].recipe.acquisition_function).__name__ == "ConfidenceBound"
