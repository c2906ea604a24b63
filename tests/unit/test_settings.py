"""Numbers among the settings of rules and acquisition functions: a slip is named when it is made."""

import numpy as np
import pytest

from bluesky_gp import acquisition, optimizer
from bluesky_gp.settings import check_number, check_whole

SLIPS = [
    (optimizer, "MaxPixels", ("410",), "MaxPixels: num must be a whole number, got '410'"),
    (optimizer, "MaxPixels", (20.0,), "MaxPixels: num must be a whole number, got 20.0"),
    (optimizer, "MaxPixels", (0,), "MaxPixels: num must be at least 1, got 0"),
    (optimizer, "NothingLearnt", (None,), "NothingLearnt: num must be a whole number, got None"),
    (optimizer, "MaxTime", ("1 h",), "MaxTime: seconds must be a number, got '1 h'"),
    (optimizer, "MaxTime", (np.nan,), "MaxTime: seconds must be a finite number, got nan"),
    (optimizer, "MaxDose", (-1.0, 0.1, "C"), "MaxDose: dose must be larger than 0, got -1.0"),
    (optimizer, "ImprovementBelow", (np.nan,), "ImprovementBelow: floor must be a finite number, got nan"),
    (optimizer, "BetterUnlikely", ("5 %",), "BetterUnlikely: probability must be a number, got '5 %'"),
    (optimizer, "MapChangeBelow", (0.1, 2.5), "MapChangeBelow: times must be a whole number, got 2.5"),
    (optimizer, "GainBelow", (None, "1"), "GainBelow: best must be a number, got '1'"),
    (optimizer, "Mixed", ("half",), "Mixed: share must be a number, got 'half'"),
    (acquisition, "ExpectedImprovement", ("0.1",), "ExpectedImprovement: xi must be a number, got '0.1'"),
    (acquisition, "ConfidenceBound", (np.inf,), "ConfidenceBound: beta must be a finite number, got inf"),
    (acquisition, "ConfidenceSchedule", (0.0,), "ConfidenceSchedule: delta must be larger than 0, got 0.0"),
    (acquisition, "LevelSet", (None,), "LevelSet: level must be a number, got None"),
    (acquisition, "TargetValue", (np.zeros(2),), "TargetValue: value must be a number, got array"),
    (acquisition, "Top", (True,), "Top: share must be a number, got True"),
    (acquisition, "Above", ("3",), "Above: level must be a number, got '3'"),
    (acquisition, "KnowledgeGradient", (8.0,), "KnowledgeGradient: num_candidates must be a whole number, got 8.0"),
    (acquisition, "MaxValueEntropy", (0,), "MaxValueEntropy: num_samples must be at least 1, got 0"),
]


@pytest.mark.parametrize(("room", "name", "given", "sentence"), SLIPS)
def test_a_number_that_is_none_is_named_when_it_is_given(room, name, given, sentence):
    with pytest.raises((TypeError, ValueError), match=sentence):
        getattr(room, name)(*given)


@pytest.mark.parametrize("number", [3, 3.0, np.float32(3.0), np.int64(3)])
def test_numbers_of_python_and_numpy_are_numbers(number):
    check_number("MaxTime", "seconds", number, above=0.0, least=3.0)


@pytest.mark.parametrize("number", [3, np.int64(3), np.uint8(3)])
def test_whole_numbers_of_python_and_numpy_are_whole(number):
    check_whole("MaxPixels", "num", number, 3)
