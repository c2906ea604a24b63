import math
import threading

import bluesky.plan_stubs as bps
import bluesky.preprocessors as bpp
import numpy as np
import pytest
from bluesky.protocols import Configurable, HasHints, Preparable, Readable, Triggerable
from bluesky.utils import FailedStatus

from bluesky_gp import GPAgent, PixelGrid, PixelOptimizer
from bluesky_gp.plans import ask_agent, measure_pixels, one_pixel, start_metadata
from bluesky_gp.testing import ListOptimizer

GRID = PixelGrid((8, 8))


@pytest.fixture
def agent():
    return GPAgent(ListOptimizer(GRID, "height"), target="det_height")


def begin(agent, **gp):
    axes = {"keys": ["stage_row", "stage_col"], "space": "pixel"}
    agent("start", {"uid": "run", "time": 0.0, "gp": {"agent": agent.name, "axes": axes, **gp}})
    keys = dict.fromkeys(["stage_row", "stage_col", "det_height"], {"source": "", "dtype": "number", "shape": []})
    agent("descriptor", {"uid": "d", "run_start": "run", "name": "primary", "data_keys": keys})


def hear(agent, pixel, value, seq_num):
    data = {"stage_row": float(pixel[0]), "stage_col": float(pixel[1]), "det_height": value}
    agent("event", {"descriptor": "d", "seq_num": seq_num, "data": data})


def asked(agent):
    status = agent.trigger()
    assert status.exception(10) is None
    return {key: reading["value"] for key, reading in agent.read().items()}


def test_it_is_all_that_bluesky_asks_of_a_device(agent):
    for protocol in (Readable, Triggerable, Configurable, Preparable, HasHints):
        assert isinstance(agent, protocol)
    assert agent.parent is None
    assert isinstance(agent.maps, Readable) and isinstance(agent.failures, Readable)


def test_every_key_that_is_read_is_described_in_full(agent):
    begin(agent)
    asked(agent)
    for device in (agent, agent.maps, agent.failures, agent.values):
        reading, described = device.read(), device.describe()
        assert list(reading) == list(described)
        for key, data_key in described.items():
            assert np.shape(reading[key]["value"]) == tuple(data_key["shape"]), key
            if data_key["dtype"] != "string":
                assert np.asarray(reading[key]["value"]).dtype == np.dtype(data_key["dtype_numpy"]), key


def test_values_in_the_unit_of_the_target_say_so():
    described = GPAgent(ListOptimizer(GRID, "height"), target="t", units="nm").describe()
    with_units = [key for key, data_key in described.items() if data_key.get("units") == "nm"]
    gains = ["gp_map_error", "gp_map_gain", "gp_best_gain", "gp_best_gain_most"]
    errors = ["gp_overview_error", "gp_overview_error_without"]
    assert with_units == ["gp_mean", "gp_std", "gp_noise_std", "gp_best_value", *gains, *errors]
    assert described["gp_fit_time"]["units"] == "s"


def test_keys_begin_with_the_agents_name():
    agent = GPAgent(ListOptimizer(GRID, "height"), target="t", name="loops")
    assert all(key.startswith("loops_") for key in [*agent.describe(), *agent.read_configuration()])
    assert agent.maps.name == "loops_maps" and agent.failures.name == "loops_failures"


def test_the_names_of_the_hyperparameters_are_in_the_configuration(agent):
    configuration = agent.read_configuration()
    assert configuration["gp_kernel_theta_names"]["value"] == ["length_row", "length_col"]
    assert configuration["gp_target"]["value"] == "det_height"
    assert set(configuration) == set(agent.describe_configuration())


def test_only_sensible_numbers_are_hinted_and_no_maps(agent):
    assert set(agent.hints["fields"]) <= set(agent.describe())
    assert agent.maps.hints == {"fields": []} and agent.failures.hints == {"fields": []}


def test_a_question_outside_a_run_is_an_error_that_says_what_to_do(agent):
    with pytest.raises(RuntimeError, match=r"gp: asked for pixels, but it hears no run.*subs_decorator"):
        agent.trigger()


def test_reading_before_asking_is_an_error(agent):
    with pytest.raises(RuntimeError, match="gp: there is nothing to read"):
        agent.read()


def test_it_learns_what_it_hears_and_proposes_the_rest(agent):
    begin(agent)
    first = asked(agent)["gp_proposed"]
    for i, pixel in enumerate(first, 1):
        hear(agent, pixel, float(i), i)
    second = asked(agent)
    assert second["gp_iteration"] == 1 and second["gp_n_measured"] == 10
    assert second["gp_best_value"] == 10.0 and second["gp_best_pixel"] == first[-1]
    assert not {*map(tuple, first)} & {*map(tuple, second["gp_proposed"])}


def test_asked_again_before_anything_was_heard_it_gives_the_same_answer(agent):
    begin(agent)
    asked(agent)
    hear(agent, (0, 0), 1.0, 1)
    one = asked(agent), agent.read()
    other = asked(agent), agent.read()
    assert one[0]["gp_iteration"] == other[0]["gp_iteration"] == 1
    assert one[1]["gp_mean"]["timestamp"] == other[1]["gp_mean"]["timestamp"]


def test_all_values_of_a_decision_have_one_timestamp(agent):
    begin(agent)
    asked(agent)
    assert len({reading["timestamp"] for reading in agent.read().values()}) == 1


def test_what_is_not_proposed_is_padded(agent):
    begin(agent, num=3)
    values = asked(agent)
    assert np.shape(values["gp_proposed"]) == (10, 2)
    assert (np.array(values["gp_proposed"])[3:] == -1).all() and np.isnan(values["gp_acquisition"][3:]).all()


def test_it_listens_only_to_the_run_that_names_it(agent):
    agent("start", {"uid": "other", "time": 0.0, "gp": {"agent": "somebody", "axes": ["a", "b"]}})
    agent("start", {"uid": "another", "time": 0.0})
    with pytest.raises(RuntimeError, match="hears no run"):
        agent.trigger()


def test_given_axes_it_listens_to_runs_that_say_nothing(agent):
    agent = GPAgent(ListOptimizer(GRID, "height"), target="det_height", axes=["stage_row", "stage_col"])
    agent("start", {"uid": "run", "time": 0.0})
    assert len(asked(agent)["gp_proposed"]) == 10


def test_a_start_document_heard_twice_does_not_begin_the_run_again(agent):
    begin(agent)
    hear(agent, (0, 0), 1.0, 1)
    begin(agent)
    assert asked(agent)["gp_n_measured"] == 1


def test_pages_of_events_are_heard_as_events_are(agent):
    begin(agent)
    data = {"stage_row": [0.0, 0.0], "stage_col": [0.0, 1.0], "det_height": [1.0, 2.0]}
    page = {"descriptor": "d", "seq_num": [1, 2], "data": data, "timestamps": data, "time": [0.0, 0.0]}
    agent("event_page", {**page, "uid": ["a", "b"], "filled": {}})
    assert asked(agent)["gp_n_measured"] == 2


def test_runs_do_not_leak_into_each_other_and_the_last_one_stays_in_the_optimizer(agent):
    begin(agent)
    asked(agent)
    hear(agent, (0, 0), 1.0, 1)
    keys = {f"gp_{key}": {"source": "", "dtype": "number", "shape": []} for key in ("iteration",)}
    agent("descriptor", {"uid": "g", "run_start": "run", "name": "gp", "data_keys": keys})
    asked(agent)
    agent("event", {"descriptor": "g", "seq_num": 1, "data": {"gp_iteration": 1}})
    agent("stop", {"uid": "s", "run_start": "run"})
    assert agent.optimizer.state.n_measured == 1
    agent("start", {"uid": "next", "time": 0.0, "gp": {"agent": "gp", "axes": ["stage_row", "stage_col"]}})
    assert agent.optimizer.state.n_measured == 0 and agent.optimizer.state is agent._preparation.first_state


def test_knowledge_handed_over_is_where_every_run_begins(make_bench, RE):
    bench = make_bench(optimizer=PixelOptimizer)
    bench.optimizer.ingest([{"row": 4, "col": 4, "height": 3.0}])
    for _ in range(2):
        RE(bench.map(5))
        assert bench.optimizer.state.n_measured == 6


def test_maps_are_written_every_so_often_and_at_the_end(make_bench, RE, docs):
    bench = make_bench()
    bench.agent = GPAgent(bench.optimizer, target="det_height", maps=2)
    RE(bench.map(35))
    assert docs.column("gp_maps_iteration", "gp_maps") == [2, 4]
    bench.agent = GPAgent(bench.optimizer, target="det_height", maps=0)
    RE(bench.map(35))
    assert docs.counts["gp_maps"] == 2


def test_a_negative_number_of_maps_is_refused():
    with pytest.raises(ValueError, match="gp: maps= must be 0 .* got -1"):
        GPAgent(ListOptimizer(GRID, "height"), target="t", maps=-1)


def test_an_executor_of_ones_own_computes(make_bench, RE):
    from concurrent.futures import ThreadPoolExecutor

    bench = make_bench()
    with ThreadPoolExecutor(1, thread_name_prefix="mine") as executor:
        bench.agent = GPAgent(bench.optimizer, target="det_height", executor=executor)
        names = []
        learn = bench.optimizer.learn
        bench.optimizer.learn = lambda *a, **k: (names.append(threading.current_thread().name), learn(*a, **k))[1]
        RE(bench.map(12))
    assert names and all(name.startswith("mine") for name in names)


def test_stubs_work_in_a_run_of_ones_own(bench, RE, docs):
    @bpp.subs_decorator(bench.agent)
    @bpp.stage_decorator([bench.detector])
    @bpp.run_decorator(md=start_metadata(*bench.things))
    def mine():
        for _ in range(3):
            pixels = yield from ask_agent(bench.agent)
            yield from bps.null()
            yield from measure_pixels(*bench.things, pixels[:4], per_pixel=one_pixel)

    RE(mine())
    assert docs.counts == {"gp": 3, "primary": 12, "gp_maps": 2}
    assert docs.column("gp_n_measured", "gp") == [0, 4, 8]


def test_a_wrong_target_ends_the_run_with_the_keys_there_are(bench, RE, docs):
    bench.agent = GPAgent(bench.optimizer, target="det_hieght")
    with pytest.raises(KeyError, match=r"carry no \['det_hieght'\]; they carry \['det_height', 'stage_col'"):
        RE(bench.map(5, per_pixel=one_pixel))  # of another than the default nobody knows before what it reads
    assert docs.stops[0]["exit_status"] == "fail"


def test_an_error_of_the_acquisition_function_ends_the_run_and_names_agent_and_cause(make_bench, RE, docs):
    def broken(mean, std, best, *, rng):
        raise ZeroDivisionError("in my acquisition")

    bench = make_bench(optimizer=PixelOptimizer, acquisition=broken)
    with pytest.raises(FailedStatus, match="FutureStatus of gp: failed, ZeroDivisionError: in my acquisition"):
        RE(bench.map(30))
    assert docs.stops[0]["exit_status"] == "fail" and "in my acquisition" in docs.stops[0]["reason"]
    assert bench.detector.calls[-1] == "unstage"


def test_a_detector_without_scalarizer_has_its_spectra_scalarized_by_the_agent(make_bench, RE, docs):
    bench = make_bench()
    detector = bench.detector
    detector.read = lambda: {"det_spectrum": {"value": np.full(16, detector._value), "timestamp": 1.0}}
    key = {"source": "t", "dtype": "array", "dtype_numpy": "<f8", "shape": [16]}
    detector.describe = lambda: {"det_spectrum": dict(key)}
    area = lambda spectrum, axis: math.nan if spectrum[0] > 9.9 else float(spectrum.mean())  # noqa: E731
    bench.agent = GPAgent(bench.optimizer, target="det_spectrum", scalarizer=area)
    RE(bench.map(64))
    assert bench.optimizer.state.n_measured == 63
    assert docs.data("gp_failures")[0]["gp_failures_pixel"] == [5, 2]
    assert docs.counts["primary"] == 64
