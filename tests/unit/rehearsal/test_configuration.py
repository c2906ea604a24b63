"""Configurations to compare."""

from bluesky_gp.rehearsal.configuration import configurations


def test_configurations_differ_from_the_first_in_one_thing_unless_all_are_wanted():
    kernels = {"default": None, "mine": "a kernel"}
    few = configurations({"a": 1, "b": 2}, [10, 5], kernels)
    assert [c.name for c in few] == [
        "a, batches of 10, default kernel",
        "a, batches of 10, mine kernel",
        "a, batches of 5, default kernel",
        "b, batches of 10, default kernel",
    ]
    assert few[0].options == {"acquisition": 1, "batch_size": 10}
    assert len(configurations({"a": 1, "b": 2}, [10, 5], kernels, every_combination=True)) == 8
    assert [c.name for c in configurations({"a": 1}, [3])] == ["a"]
