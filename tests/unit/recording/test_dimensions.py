import numpy as np
import pytest
import xarray as xr

from bluesky_gp import GPAgent, PixelGrid, PixelOptimizer
from bluesky_gp.devices import PixelStage, SimulatedSpectrometer, SyntheticEELS
from bluesky_gp.export import to_dataset
from bluesky_gp.plans import adaptive_map
from bluesky_gp.recording import open_catalog
from bluesky_gp.recording.coordinates import with_coordinates
from bluesky_gp.recording.dimensions import NamedDimensions
from bluesky_gp.run import RunRecord


class Node:
    """Keeps the dimensions of what is written."""

    def __init__(self):
        self.dims = {}

    def write_array(self, array, *, key, metadata, dims):
        self.dims[key] = dims


def test_dimensions_are_named_where_that_can_be_read_back():
    node, sizes = Node(), {}
    named = NamedDimensions(node, sizes, {"map": {}, "other": {}, "energy": {}})
    array, given = np.zeros((5, 3, 4)), ("time", "dim_int_1", "dim_int_2")
    for key, dims in {
        "map": ["row", "col"],
        "less": ["row"],
        "twice": ["row", "row"],
        "same": ["energy", "col"],
    }.items():
        named.write_array(array, key=key, metadata={"dims": dims}, dims=given)
    named.write_array(array, key="none", metadata={}, dims=given)
    named.write_array(np.zeros((5, 4, 4)), key="larger", metadata={"dims": ["row", "col"]}, dims=given)
    assert node.dims.pop("map") == ("time", "row", "col")
    assert set(node.dims.values()) == {given}


def read(values, dims, grid=None, axis=None):
    """Return a dataset as a stream is read whose detector states an axis."""
    keys = {"spectrum": {"dims": list(dims[1:]), "object_name": "camera", "units": "counts"}}
    stated = {"data": {"camera_axis": axis}, "data_keys": {"camera_axis": {"units": "V"}}}
    stream = {"data_keys": keys, "configuration": {} if axis is None else {"camera": stated}}
    return with_coordinates(xr.Dataset({"spectrum": (dims, values)}), stream, {} if grid is None else {"gp": grid})


def test_a_sweep_that_goes_there_and_back_is_no_index():
    found = read(np.zeros((4, 3)), ("time", "bias"), axis=[0.0, 1.0, 0.0])
    assert found["spectrum"].dims == ("time", "channel") and found["bias"].dims == ("channel",)
    assert found["bias"].attrs["units"] == "V" and found["spectrum"].attrs["units"] == "counts"


def test_an_axis_in_a_table_of_one_row_is_that_row():
    found = read(np.zeros((4, 3)), ("time", "energy"), axis=[[1.0, 2.0, 3.0]])
    assert found["energy"].values.tolist() == [1.0, 2.0, 3.0]


@pytest.mark.parametrize("axis", [None, [1.0, 2.0], [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]])
def test_an_axis_that_does_not_fit_gives_no_coordinate(axis):
    found = read(np.zeros((4, 3)), ("time", "energy"), axis=axis)
    assert found["spectrum"].dims == ("time", "energy") and not found.coords


@pytest.mark.parametrize("gp", [None, "mine", {}, {"grid": 3}, {"grid": {"shape": [5, 5]}}])
def test_metadata_that_say_nothing_of_these_maps_give_no_positions(gp):
    assert not read(np.zeros((4, 3, 3)), ("time", "row", "col"), grid=gp).coords


def test_maps_and_spectra_come_back_from_the_catalog_with_row_col_and_energy(RE, docs, tmp_path):
    grid = PixelGrid((8, 8), step=(0.5, 0.5), units="nm")
    stage = PixelStage(grid=grid, name="stage")
    spectrometer = SimulatedSpectrometer(
        SyntheticEELS(shape=(8, 8)), stage, scalarizers=["net_counts"], name="spectrometer"
    )
    agent = GPAgent(PixelOptimizer(grid, "net_counts"), target="spectrometer_net_counts", units="counts")
    with open_catalog(tmp_path) as catalog:
        RE.subscribe(catalog.writer)
        (uid,) = RE(adaptive_map([spectrometer], stage, agent, num=15))
        maps, primary = catalog[uid].gp_maps.read(), catalog[uid].primary.read()
        gp = catalog[uid].gp.read()
    assert maps["row_position"].sel(row=3, col=0) == 1.5 and maps["row_position"].attrs["units"] == "nm"
    assert maps["gp_maps_mean"].attrs["units"] == "counts" and "units" not in maps["gp_maps_acquisition"].attrs
    np.testing.assert_array_equal(primary["energy"], RunRecord.from_documents(docs.all).spectra.axis)
    assert primary["energy"].attrs["units"] == "eV"
    near = primary["spectrometer_spectrum"].sel(energy=460.0, method="nearest")
    assert near.dims == ("time",) and abs(float(near["energy"]) - 460.0) < 5.0
    assert maps["gp_maps_mean"].dims == ("time", "row", "col") and maps.sizes["row"] == 8
    assert primary["spectrometer_spectrum"].dims == ("time", "energy")
    assert gp["gp_proposed"].dims == ("time", "batch", "axes") and gp["gp_kernel_theta"].dims == ("time", "theta")
    found = to_dataset(RunRecord.from_documents(docs.all))
    assert found["spectrum"].dims == ("measurement", "energy") and found["energy"].attrs["units"] == "eV"
    near = found["spectrum"].sel(energy=460.0, method="nearest")
    assert isinstance(near, xr.DataArray) and near.dims == ("measurement",)
    assert found["row_position"].attrs["units"] == "nm"
