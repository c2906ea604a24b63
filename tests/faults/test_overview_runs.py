"""Runs with an overview image: measured in the plan, recorded, replayed and resumed."""

import numpy as np
import pytest
from bluesky.simulators import summarize_plan
from recorded_runs import Recorded

from bluesky_gp import GPAgent, PixelGrid, PixelOptimizer
from bluesky_gp.devices import PixelStage, SimulatedImager, SimulatedSpectrometer, SyntheticEELS
from bluesky_gp.overview import Planes
from bluesky_gp.plans import adaptive_map
from bluesky_gp.plots import run_figure
from bluesky_gp.recording import ResumeError
from bluesky_gp.replay import replay
from bluesky_gp.run import RunRecord

GRID = PixelGrid((12, 13), step=(0.1, 0.2), origin=(3.0, -1.0), units="um")
SAMPLE = SyntheticEELS((12, 13))


def devices(name="gp", **options):
    stage = PixelStage(grid=GRID, name="stage")
    spectrometer = SimulatedSpectrometer(SAMPLE, stage, name="spectrometer")
    agent = GPAgent(PixelOptimizer(GRID, "net_counts", **options), target="spectrometer_net_counts", name=name)
    return stage, spectrometer, agent, SimulatedImager(SAMPLE, stage, name="haadf")


def of_run(docs, number):
    begins = [i for i, (name, _) in enumerate(docs.all) if name == "start"] + [len(docs.all)]
    return docs.all[begins[number] : begins[number + 1]]


def test_an_image_measured_by_the_plan_is_recorded_seen_and_replayed(RE, docs):  # noqa: N803
    stage, spectrometer, agent, imager = devices()
    RE(adaptive_map([spectrometer], stage, agent, num=40, overview=[imager]))
    record = RunRecord.from_documents(docs.all)
    (image,) = docs.column("haadf_image", "overview")
    np.testing.assert_allclose(image, SAMPLE.overview(), rtol=1e-6)
    planes = Planes.from_mapping(record.start["gp"]["overview"])
    averaged = SAMPLE.overview().reshape(12, 4, 13, 4).mean(axis=(1, 3))
    np.testing.assert_allclose(planes.images["haadf_image"], averaged, rtol=1e-5)
    assert np.isfinite(docs.column("gp_overview_error", "gp")[-1])
    assert replay(docs.all).identical


def test_two_runs_with_an_image_each_start_from_what_was_known_before(RE, docs):  # noqa: N803
    stage, spectrometer, agent, imager = devices()
    for _ in range(2):
        RE(adaptive_map([spectrometer], stage, agent, num=20, overview=[imager]))
    assert replay(of_run(docs, 1)).identical
    assert docs.column("gp_n_measured", "gp")[3] == 0


def test_a_run_is_resumed_with_the_image_that_it_had(RE, docs):  # noqa: N803
    stage, spectrometer, agent, imager = devices()
    RE(adaptive_map([spectrometer], stage, agent, num=20, overview=[imager]))
    first = list(docs.all)
    stage, spectrometer, agent, imager = devices()
    RE(adaptive_map([spectrometer], stage, agent, num=40, resume_from=Recorded(first), overview=[imager]))
    second = of_run(docs, 1)
    assert second[0][1]["gp"]["overview"] == first[0][1]["gp"]["overview"]
    assert not any(name == "descriptor" and doc["name"] == "overview" for name, doc in second)
    assert replay(second).identical


def test_a_run_is_not_resumed_with_another_image(RE, docs):  # noqa: N803
    stage, spectrometer, agent, imager = devices()
    RE(adaptive_map([spectrometer], stage, agent, num=20, overview=[imager]))
    first = list(docs.all)
    stage, spectrometer, agent, _ = devices(overview=np.random.default_rng(0).standard_normal(GRID.shape))
    with pytest.raises(ResumeError, match="the run was decided with another overview image"):
        RE(adaptive_map([spectrometer], stage, agent, num=40, resume_from=Recorded(first)))


def test_an_imager_without_an_image_is_named_before_the_stage_moves(RE, docs):  # noqa: N803
    stage, spectrometer, agent, _ = devices()
    other = SimulatedSpectrometer(SAMPLE, stage, name="other")
    with pytest.raises(RuntimeError, match="other: an overview image has two axes"):
        RE(adaptive_map([spectrometer], stage, agent, num=20, overview=[other]))
    assert docs.all == []


def test_a_plan_with_an_image_can_be_looked_at(capsys):
    stage, spectrometer, agent, imager = devices()
    summarize_plan(adaptive_map([spectrometer], stage, agent, num=20, overview=[imager]))
    assert "Open" in capsys.readouterr().out


def test_the_figure_of_a_run_shows_image_and_contribution(RE, docs, tmp_path):  # noqa: N803
    stage, spectrometer, agent, imager = devices()
    RE(adaptive_map([spectrometer], stage, agent, num=40, overview=[imager]))
    figure = run_figure(RunRecord.from_documents(docs.all), truth=SAMPLE.truth("net_counts"))
    titles = [axes.get_title() for axes in figure.axes]
    assert "overview image" in titles and any("the image" in title for title in titles)
    figure.savefig(tmp_path / "figure.png")
