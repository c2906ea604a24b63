"""Why here: numbers of the model, and the pixels that speak for them."""

import numpy as np
import pytest

from bluesky_gp.view.moments import Moment
from bluesky_gp.view.reasons import why_here


@pytest.fixture
def moment(place, kinds):
    return Moment(place.followed(kinds[1]["usual"]).record(), 5)


def test_a_chosen_pixel_was_chosen_to_pursue_or_to_explore(moment):
    ways = [why_here(moment, pixel)["choice"] for pixel in moment.proposed]
    assert all(way["chosen"] and way["repeats"] for way in ways)
    assert sorted(way["place"] for way in ways) == [1, 2, 3, 4, 5]
    assert {way["by"] for way in ways} == {"pursue", "explore"}


def test_a_first_pixel_was_chosen_by_design(place, kinds):
    first = Moment(place.followed(kinds[1]["usual"]).record(), 0)
    assert why_here(first, first.proposed[0])["choice"]["by"] == "design"


def test_the_best_candidate_has_rank_one_and_a_measured_pixel_none(moment):
    best = int(np.nanargmax(moment.choice.proposal.acquisition))
    assert why_here(moment, best)["model"]["rank"] == 1
    measured = why_here(moment, moment.outcomes[0].pixel)
    assert measured["model"]["rank"] is None and measured["outcome"]["known"]


def test_the_values_by_their_weights_are_the_mean(moment):
    for pixel in (0, 40, moment.outcomes[3].pixel):
        posterior = moment.state.posterior
        weights, values = posterior.weights(pixel), moment.state.values
        assert weights @ values == pytest.approx(moment.state.mean.ravel()[pixel])
        told = why_here(moment, pixel)["weights"]
        assert sum(each["weight"] for each in told["told"]) + told["rest"] == pytest.approx(1.0)
        assert np.abs([each["weight"] for each in told["told"]]).min() >= np.sort(np.abs(weights))[-8] - 1e-12


def test_a_pixel_that_failed_says_why(place, kinds):
    record = place.followed(kinds[1]["failed"]).record()
    moment = Moment(record, len(record.iterations["iteration"]) - 1)
    failed = next(outcome for outcome in record.outcomes if outcome.failed)
    assert why_here(moment, failed.pixel)["outcome"]["reason"] == failed.reason


def test_a_pixel_measured_later_is_shown_as_not_known_then(moment):
    later = moment.record.outcomes[-1]
    assert not why_here(moment, later.pixel)["outcome"]["known"]


def test_a_measured_pixel_has_its_spectrum(moment):
    spectrum = why_here(moment, moment.outcomes[0].pixel)["spectrum"]
    np.testing.assert_array_equal(spectrum["values"], moment.record.spectra.values[0])


def test_a_pixel_of_a_person_says_so(place, kinds):
    record = place.followed(kinds[1]["steered"]).record()
    moments = [Moment(record, number) for number in range(len(record.iterations["iteration"]))]
    [moment] = [moment for moment in moments if moment.by_hand]
    assert why_here(moment, moment.by_hand[0])["choice"]["by"] == "hand"
    assert why_here(moment, moment.by_hand[0])["choice"]["repeats"]
