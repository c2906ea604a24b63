"""Documents that nobody here wrote: foreign metadata, pages, all kinds of spectra, other writers beside ours."""

import json
import logging

import numpy as np
import pytest
from bluesky import plan_stubs as bps
from bluesky import plans as bp
from bluesky import preprocessors as bpp
from bluesky.callbacks.json_writer import JSONLinesWriter, JSONWriter
from event_model import pack_event_page
from ophyd.sim import SynAxis, det
from recorded_runs import NUM, cut

from bluesky_gp import GPAgent, PixelGrid, PixelOptimizer
from bluesky_gp.live import IterationLine
from bluesky_gp.plans import adaptive_map
from bluesky_gp.replay import replay
from bluesky_gp.run import RunRecord
from bluesky_gp.scalarizers import get_scalarizer
from bluesky_gp.status import finished


class Spectra:
    """A detector of spectra as `spectrum` makes them of a position, with an axis or without."""

    name, parent, hints = "det", None, {"fields": []}

    def __init__(self, spectrum, axis=None):
        self.y, self.x = SynAxis(name="y"), SynAxis(name="x")
        self._spectrum, self._axis = spectrum, axis

    def trigger(self):
        return finished("det")

    def read(self):
        return {"det": {"value": self._spectrum(self.y.position, self.x.position), "timestamp": 0.0}}

    def describe(self):
        value = self._spectrum(0.0, 0.0)
        kind = {"dtype": "array", "shape": list(value.shape), "dtype_numpy": value.dtype.str}
        return {"det": {"source": "test", "object_name": "det", **kind}}

    def read_configuration(self):
        return {} if self._axis is None else {"det_axis": {"value": self._axis, "timestamp": 0.0}}

    def describe_configuration(self):
        key = {"source": "test", "dtype": "array", "shape": [16], "units": "eV"}
        return {} if self._axis is None else {"det_axis": key}

    def map(self, num=15, scalarizer=None, **options):
        optimizer = PixelOptimizer(PixelGrid((6, 6)), "det", batch_size=5, n_initial=5, **options)
        self.agent = GPAgent(optimizer, target="det", scalarizer=scalarizer or get_scalarizer("area"))
        return adaptive_map([self], (self.y, self.x), self.agent, num=num)


def peak(y, x):
    return np.exp(-((np.arange(16.0) - 8) ** 2) / 10) * (1 + y * x)


def in_pages(documents):
    """The same documents, neighbouring events of a stream in one page, as a server or a flyer gives them."""
    paged, page = [], []
    for name, doc in [*documents, ("end", {})]:
        if page and (name != "event" or doc["descriptor"] != page[-1]["descriptor"]):
            paged.append(("event_page", pack_event_page(*page)))
            page = []
        if name == "event":
            page.append(doc)
        else:
            paged.append((name, doc))
    return paged[:-1]


@pytest.mark.parametrize("gp", ["general purpose", 3, ["a"], {"purpose": "general"}, {"agent": 7}], ids=repr)
def test_a_word_gp_in_anybodys_metadata_harms_no_run(RE, docs, gp):
    RE.subscribe(GPAgent(PixelOptimizer(PixelGrid((8, 8)), "det"), target="det"))
    RE.subscribe(IterationLine(show=pytest.fail))
    RE(bp.count([det]), gp=gp)
    assert docs.stops[0]["exit_status"] == "success"
    with pytest.raises(ValueError, match="was not steered by a GPAgent"):
        RunRecord.from_documents(docs.all)


def test_pages_of_events_are_read_replayed_and_resumed_as_events_are(whole, session, RE, docs, tmp_path):
    assert any(name == "event_page" for name, _ in in_pages(whole))
    assert RunRecord.from_documents(in_pages(whole)).outcomes == RunRecord.from_documents(whole).outcomes
    result = replay(in_pages(whole))
    assert result.identical and (result.n_iterations, result.n_maps) == (6, 5)
    RE(session().map(NUM, resume_from=cut(in_pages(whole[:-4]), 99, tmp_path / "pages.jsonl")))
    measured = [o.pixel for o in RunRecord.from_documents(whole[:-4]).outcomes]
    again = [o.pixel for o in RunRecord.from_documents(docs.all).outcomes]
    assert not set(measured) & set(again) and len(measured) + len(again) == NUM


def test_a_live_line_is_shown_for_decisions_that_come_in_pages(whole):
    lines = []
    line = IterationLine(show=lines.append)
    for name, doc in in_pages(whole):
        line(name, doc)
    assert len(lines) == 6 and lines[-1].ended


def test_a_run_without_decisions_is_not_called_identical(whole):
    result = replay([pair for pair in whole if not any("gp_iteration" in str(key) for key in pair[1].get("data", ()))])
    assert result.n_iterations == 0 and not result.identical


def test_the_agents_own_scalarizer_is_made_again_where_a_record_is_read(RE, docs):
    RE(Spectra(peak, np.arange(16.0)).map())
    record = RunRecord.from_documents(docs.all)
    assert len(record.measured[1]) == 15 and record.spectra.values.shape == (15, 16)
    assert record.spectra.axis_units == "eV"


def test_a_scalarizer_of_ones_own_is_asked_for_where_a_record_is_read(RE, docs):
    def middle(spectrum, axis):
        return float(spectrum[8])

    RE(Spectra(peak).map(scalarizer=middle))
    with pytest.raises(ValueError, match=r"scalarizer was a function of somebody's own, .*middle.*: give it"):
        RunRecord.from_documents(docs.all)
    assert len(RunRecord.from_documents(docs.all, scalarizer=middle).measured[1]) == 15


def test_channels_are_the_axis_of_spectra_that_have_none(RE, docs):
    RE(Spectra(peak).map())
    spectra = RunRecord.from_documents(docs.all).spectra
    assert spectra.axis.tolist() == list(range(16)) and spectra.axis_units == ""


def test_a_leading_axis_of_one_is_taken_off(RE, docs):
    RE(Spectra(lambda y, x: peak(y, x)[None], np.arange(16.0)).map(scalarizer=get_scalarizer("centroid")))
    record = RunRecord.from_documents(docs.all)
    assert len(record.measured[1]) == 15 and record.spectra.values.shape == (15, 16)
    np.testing.assert_allclose(record.measured[1], 8.0, atol=0.1)


def test_a_complex_spectrum_reaches_the_scalarizer_and_the_record_whole(RE, docs):
    def modulus(spectrum, axis):
        return float(np.abs(spectrum).max())

    RE(Spectra(lambda y, x: peak(y, x) * 1j).map(scalarizer=modulus))
    record = RunRecord.from_documents(docs.all, scalarizer=modulus)
    assert record.measured[1].min() >= 1.0
    assert record.spectra.values.dtype == complex and not record.spectra.values.real.any()


def test_a_spectrum_with_a_channel_that_is_no_number_is_rejected_as_a_detector_rejects_it(RE, docs):
    def holed(y, x):
        spectrum = peak(y, x)
        spectrum[3] = np.nan if round(y + x) % 2 else spectrum[3]
        return spectrum

    RE(Spectra(holed).map(scalarizer=lambda spectrum, axis: float(np.nanmax(spectrum))))
    reasons = docs.column("gp_failures_reason", "gp_failures")
    assert reasons and all("1 of 16 channels are NaN or infinite" in reason for reason in reasons)


def test_a_map_of_which_every_pixel_is_rejected_says_so_and_ends(RE, docs):
    RE(Spectra(peak).map(num=36, scalarizer=lambda spectrum, axis: float("nan")))
    warnings = docs.column("gp_warning", "gp")
    assert warnings[2].startswith("not one of 10 pixels has a value")
    assert docs.column("gp_stop_reason", "gp")[-1] == "not one of 30 pixels has a value: nothing was learnt"
    assert docs.counts["primary"] == 30


def test_the_rule_that_ends_it_can_be_left_out(RE, docs):
    RE(Spectra(peak).map(num=36, scalarizer=lambda spectrum, axis: float("nan"), stopping=()))
    assert docs.counts["primary"] == 36


def test_a_run_inside_the_run_of_an_agent_with_axes_disturbs_it_not(RE, docs):
    y, x = SynAxis(name="y"), SynAxis(name="x")
    optimizer = PixelOptimizer(PixelGrid((5, 5)), "det", batch_size=5, n_initial=5)
    agent = GPAgent(optimizer, target="det", axes=["y", "x"])
    RE.subscribe(agent)

    @bpp.run_decorator()
    def outer():
        for row in range(5):
            yield from bps.mv(y, row, x, row)
            yield from bps.trigger_and_read([det, y, x])
            inner = bpp.set_run_key_wrapper(bp.count([det]), f"inner {row}")
            yield from inner

    RE(outer())
    assert [stop["exit_status"] for stop in docs.stops] == ["success"] * 6
    assert [outcome.pixel for outcome in agent._run.heard.outcomes] == [0, 6, 12, 18, 24]


def test_an_agent_whose_target_stands_in_another_stream_says_so(RE, docs, caplog):
    y, x = SynAxis(name="y"), SynAxis(name="x")
    agent = GPAgent(PixelOptimizer(PixelGrid((5, 5)), "det"), target="det", axes=["y", "x"])
    RE.subscribe(agent)

    @bpp.run_decorator()
    def elsewhere():
        yield from bps.trigger_and_read([det, y, x], name="pixels")

    with caplog.at_level(logging.WARNING, "bluesky_gp"):
        RE(elsewhere())
    assert "det stands in stream 'pixels', and pixels are heard in 'primary' alone" in caplog.text


def test_a_passive_agent_says_which_keys_a_foreign_run_lacks_and_ends_no_run(RE, docs, caplog):
    RE.subscribe(GPAgent(PixelOptimizer(PixelGrid((5, 5)), "det"), target="det", axes=["y", "x"]))
    with caplog.at_level(logging.WARNING, "bluesky_gp"):
        RE(bp.count([det]))
    assert docs.stops[0]["exit_status"] == "success" and "carry no ['y', 'x']" in caplog.text


@pytest.mark.parametrize("writer", [JSONWriter, JSONLinesWriter])
def test_the_json_writers_of_bluesky_take_what_the_agent_emits(RE, docs, session, tmp_path, writer):
    RE.subscribe(writer(str(tmp_path)))
    RE(session().map(NUM))
    text = next(tmp_path.iterdir()).read_text()
    pairs = json.loads(text) if writer is JSONWriter else [json.loads(line) for line in text.splitlines()]
    assert replay([(pair["name"], pair["doc"]) for pair in pairs]).identical
