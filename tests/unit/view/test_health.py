"""The bill of health: numbers that are known, and what is said of them."""

from dataclasses import replace
from math import nan

import numpy as np
import pytest

from bluesky_gp.view.health import health_of, standardised_errors
from bluesky_gp.view.moments import Moment


def last(record):
    return Moment(record, len(record.iterations["iteration"]) - 1)


@pytest.fixture
def moment(place, kinds):
    return last(place.followed(kinds[1]["usual"]).record())


def finding(moment, name):
    return next(found for found in health_of(moment) if found.name == name)


def with_columns(moment, **columns):
    return last(replace(moment.record, iterations={**moment.record.iterations, **columns}))


def test_errors_of_new_values_are_those_of_the_predictions_that_were_recorded(moment):
    columns, values = moment.record.iterations, {o.pixel: o.value for o in moment.record.outcomes}
    expected = [
        (values[pixel] - mean) / np.hypot(std, noise)
        for row, noise in enumerate(columns["noise_std"])
        for pixel, mean, std in zip(moment.steps[row].proposed, columns["mean"][row], columns["std"][row], strict=False)
        if np.isfinite(std)
    ]
    np.testing.assert_allclose(standardised_errors(moment), expected)
    assert len(expected) == 35


@pytest.mark.parametrize(("factor", "verdict"), [(0.1, "bad"), (10.0, "bad")])
def test_deviations_that_are_wrong_by_a_factor_are_found_out(moment, factor, verdict):
    columns = moment.record.iterations
    wrong = with_columns(moment, std=columns["std"] * factor, noise_std=columns["noise_std"] * factor)
    assert finding(wrong, "calibration").verdict == verdict
    rms = finding(moment, "calibration").number
    assert finding(wrong, "calibration").number == pytest.approx(rms / factor)


def test_few_values_say_nothing_of_the_calibration(place, kinds):
    assert finding(last(place.followed(kinds[1]["short"]).record()), "calibration").verdict == "unknown"


def test_failed_pixels_are_counted(place, kinds):
    record = place.followed(kinds[1]["failed"]).record()
    found = finding(last(record), "failed pixels")
    assert found.number == pytest.approx(len(record.failed) / len(record.outcomes))
    assert found.verdict == "doubt"
    assert finding(last(place.followed(kinds[1]["hopeless"]).record()), "failed pixels").verdict == "bad"


def test_what_a_hundred_more_would_gain_is_what_was_recorded(moment):
    told = with_columns(
        moment,
        forecast_num=np.full(9, 100),
        map_error=np.full(9, 4.0),
        map_gain=np.full(9, 1.0),
        best_gain=np.full(9, 0.5),
    )
    found = finding(told, "a hundred more")
    assert "100 more pixels would lower the error of the map from 4 to 3" in found.sentence
    assert (found.number, found.verdict) == (0.25, "doubt")
    assert finding(with_columns(moment, map_gain=np.full(9, nan)), "a hundred more").verdict == "unknown"


def test_a_hyperparameter_at_its_bound_is_named(moment):
    theta = moment.record.iterations["kernel_theta"].copy()
    bounds = moment.state.covariance.kernel.bounds
    theta[-1, 0] = bounds[0, 1]
    assert "constant_value" in finding(with_columns(moment, kernel_theta=theta), "bounds").sentence


def test_a_length_scale_below_the_distance_of_measured_pixels_is_doubted(moment):
    theta = moment.record.iterations["kernel_theta"].copy()
    theta[-1, 1:3] = np.log(0.7)
    short = finding(with_columns(moment, kernel_theta=theta), "length scale")
    assert short.number < 1.0 and short.verdict in ("doubt", "bad")
    assert "between them it is a guess" in short.sentence


def test_a_map_of_one_value_has_a_bill(place, kinds):
    assert all(found.sentence for found in health_of(last(place.followed(kinds[1]["constant"]).record())))
