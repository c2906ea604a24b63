"""Settings in which two runs must agree for the one to go on from the other."""

import pytest
from sklearn.gaussian_process.kernels import RBF

from bluesky_gp.plain_data import describe
from bluesky_gp.recording import ResumeError
from bluesky_gp.run.resuming import check
from bluesky_gp.run.schema import SCHEMA_VERSION

MINE = {
    "schema_version": SCHEMA_VERSION,
    "grid": {"shape": [4, 5], "units": "um"},
    "target": "det_height",
    "kernel": describe(RBF(2.0)),
}


def test_equal_settings_pass_and_lists_of_rules_are_nobodys_business():
    check({**MINE, "stopping": ["some rule"]}, MINE)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"target": "det_width"}, "target was 'det_width' and is 'det_height'"),
        ({"grid": {"shape": [4, 5], "units": "nm"}}, "grid.units was 'nm' and is 'um'"),
        ({"kernel": describe(RBF(3.0))}, r"kernel.length_scale was 3.0 and is 2.0"),
        ({"schema_version": 99, "versions": {"bluesky_gp": "9.1"}}, "schema_version 99, .* that wrote it, 9.1"),
    ],
)
def test_what_differs_is_named_with_both_values(changed, sentence):
    with pytest.raises(ResumeError, match=sentence):
        check({**MINE, **changed}, MINE)
