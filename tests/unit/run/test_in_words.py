"""Actions and settings in words."""

import pytest

from bluesky_gp.run import Action, action_in_words, written


def test_a_kernel_is_shown_as_it_is_written():
    kernel = {
        "class": "sklearn.gaussian_process.kernels:Sum",
        "k1": {"class": "sklearn.gaussian_process.kernels:Matern", "nu": 2.5, "length_scale_bounds": [1, 2]},
        "k2": {"class": "sklearn.gaussian_process.kernels:WhiteKernel", "noise_level": 0.01},
    }
    assert written(kernel) == "Matern(nu=2.5) + WhiteKernel(noise_level=0.01)"


@pytest.mark.parametrize(
    ("kind", "arguments", "words"),
    [
        ("add_pixels", {"pixels": [[0, 0], [9, 8]]}, "(0, 0), (9, 8)"),
        (
            "edit",
            {"pixels": [[0, col] for col in range(9)]},
            "(0, 0), (0, 1), (0, 2), (0, 3), (0, 4), (0, 5) and 3 more",
        ),
        (
            "forbid",
            {"region": {"rectangle": [[0, 0], [9, 8]]}, "mask": "eJz7/38wAgAT7ZVr"},
            "rectangle (0, 0) to (9, 8)",
        ),
        ("allow", {"region": {"polygon": [[0.5, 0], [9, 8], [3, 4]]}}, "polygon (0.5, 0), (9, 8), (3, 4)"),
        ("forbid", {"region": {"mask": "eJz7/38wAgAT7ZVr"}}, "a mask"),
        ("restrict", {"region": {"above": 0.25}}, "where the map is above 0.25"),
        (
            "configure",
            {"batch_size": 5, "stopping": [{"class": "a:MaxPixels", "num": 80}]},
            "batch_size 5, stopping [MaxPixels(num=80)]",
        ),
        ("go_on", {"more": 20}, "20 more"),
        ("finish", {"reason": "the beam goes off"}, "the beam goes off"),
        ("pause", {}, ""),
        ("agree", {"after": 60.0}, ""),
    ],
)
def test_an_action_is_said_as_people_say_it(kind, arguments, words):
    assert action_in_words(Action(kind, arguments)) == words
