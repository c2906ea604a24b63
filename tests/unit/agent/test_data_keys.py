"""Data keys of the agent's streams."""

from bluesky_gp.agent.data_keys import array, integer, number, readings, text


def test_a_key_says_kind_shape_and_unit_and_a_text_no_numpy_type():
    assert number("gp", units="nm") == {
        "source": "gp", "dtype": "number", "shape": [], "dtype_numpy": "<f8", "units": "nm",
    }  # fmt: skip
    assert integer("gp")["dtype_numpy"] == "<i8" and "units" not in integer("gp")
    assert "dtype_numpy" not in text("gp")
    assert array("gp", (3, 2), "<i8")["shape"] == [3, 2]


def test_readings_share_one_timestamp():
    assert readings({"a": 1, "b": 2}, 5.0) == {
        "a": {"value": 1, "timestamp": 5.0},
        "b": {"value": 2, "timestamp": 5.0},
    }
