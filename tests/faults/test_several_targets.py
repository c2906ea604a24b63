"""Further numbers and spectra of the same pixels, through documents, journals and start documents."""

import math

import numpy as np
import pytest
from recorded_runs import after_event, cut, through_text
from sklearn.decomposition import PCA

from bluesky_gp import (
    ExpectedHypervolumeImprovement,
    Feasible,
    Goal,
    GPAgent,
    LevelSet,
    Novelty,
    PerSecond,
    PixelGrid,
    PixelOptimizer,
    Sum,
)
from bluesky_gp.acquisition import Boundary
from bluesky_gp.devices import PixelStage, SimulatedSpectrometer, SyntheticFerroelectric
from bluesky_gp.plans import adaptive_map
from bluesky_gp.replay import replay
from bluesky_gp.run import RunRecord

GRID = PixelGrid((8, 8))
NUM = 23
COMPARED = ("proposed", "acquisition", "mean", "kernel_theta", "best_value", "n_measured")


def largest(spectrum, axis):
    return float(spectrum.max())


def smallest(spectrum, axis):
    return float(spectrum.min())


def sometimes(spectrum, axis):
    """Half of the pixels have none."""
    return math.nan if spectrum.max() * 1e6 % 2.0 < 1.0 else float(spectrum.min())


class Between:
    """A mean of two targets, and what spectra there are: it chooses by all that is carried."""

    def on(self, context):
        other, std = context.other("smallest")
        spread = np.nanstd(context.measured_values("spectrum")) if "spectrum" in context.state.others else 1.0
        return context.mean + np.nan_to_num(other)[context.pixels] + spread * std[context.pixels]


class Setup:
    """A session that knows nothing of earlier ones."""

    def __init__(self, others=("smallest", "spectrum"), second=smallest, acquisition=None, **options):
        self.stage = PixelStage(grid=GRID, name="stage")
        sample = SyntheticFerroelectric(shape=GRID.shape, seed=3)
        scalarizers = {"largest": largest, "smallest": second}
        self.detector = SimulatedSpectrometer(sample, self.stage, scalarizers=scalarizers, name="det")
        self.optimizer = PixelOptimizer(
            GRID, "largest", acquisition=acquisition or Between(), batch_size=5, n_initial=5, others=others, **options
        )
        self.agent = GPAgent(self.optimizer, target="det_largest")

    def map(self, num=NUM, **options):
        return adaptive_map([self.detector], self.stage, self.agent, num=num, **options)


@pytest.fixture
def whole(RE, docs):
    """The documents of a run that nothing interrupted."""
    RE(Setup().map())
    documents, docs.all[:] = list(docs.all), []
    return documents


def decisions(documents, first=0):
    """What was decided in each iteration, bit for bit."""
    columns = RunRecord.from_documents(documents).iterations
    return {
        int(number): [columns[key][row].tobytes() for key in COMPARED]
        for row, number in enumerate(columns["iteration"])
        if number >= first
    }


def test_the_agent_hears_numbers_and_spectra_beside_its_target(RE, docs):
    setup = Setup()
    RE(setup.map())
    state = setup.optimizer.state
    flat = GRID.ravel(np.array([docs.column("stage_row"), docs.column("stage_col")]).T.round().astype(int))
    for name in ("smallest", "spectrum"):
        heard = dict(zip(state.pixels.tolist(), state.others[name].tolist(), strict=True))
        said = dict(zip(flat.tolist(), np.array(docs.column(f"det_{name}")).tolist(), strict=True))
        assert heard == said


def test_the_start_document_says_which_keys_are_heard(whole):
    assert whole[0][1]["gp"]["others"] == ["smallest", "spectrum"]
    assert whole[0][1]["gp"]["other_keys"] == {"smallest": "det_smallest", "spectrum": "det_spectrum"}


def test_a_run_that_looks_at_several_targets_is_replayed_bit_for_bit(whole):
    result = replay(through_text(whole), acquisition=Between())
    assert result.identical and result.n_iterations > 4


@pytest.mark.parametrize("count", [0, 3, 11, 18])
def test_a_resumed_run_chooses_what_the_whole_one_chose(whole, RE, docs, tmp_path, count):
    path = cut(whole, after_event(whole, "det_largest", count), tmp_path / "killed.jsonl")
    RE(Setup().map(resume_from=path))
    first = min(decisions(docs.all))
    assert decisions(docs.all) == decisions(whole, first)
    assert replay(through_text(docs.all), acquisition=Between()).identical


def test_a_run_resumed_twice_still_has_the_numbers_of_the_first(whole, RE, docs, tmp_path):
    first = cut(whole, after_event(whole, "det_largest", 8), tmp_path / "first.jsonl")
    RE(Setup().map(resume_from=first))
    second = cut(docs.all, after_event(docs.all, "det_largest", 6), tmp_path / "second.jsonl")
    docs.all.clear()
    RE(Setup().map(resume_from=second))
    assert decisions(docs.all) == decisions(whole, min(decisions(docs.all)))


def test_what_was_told_by_hand_is_replayed_with_its_spectra(RE, docs):
    setup = Setup()
    setup.optimizer.ingest([{"_id": 3, "largest": 1e-5, "smallest": -1e-5, "spectrum": np.linspace(-1.0, 1.0, 64) / 3}])
    setup.optimizer.ingest([{"_id": 5, "largest": 2e-5, "smallest": math.nan}, {"_id": 6, "largest": math.nan}])
    RE(setup.map(14))
    assert replay(through_text(docs.all), acquisition=Between()).identical


ACQUISITIONS = {
    "hypervolume": ExpectedHypervolumeImprovement("smallest", maximize_other=False),
    "novelty": Novelty(transformer=PCA(3, svd_solver="full")),
    "in bounds, by the second": PerSecond(2.35, 1.0, Feasible("smallest", above=-4e-5)),
    "a goal": Sum([Goal(Boundary(4e-5)), LevelSet(4e-5)], [1.0, 1e4]),
}


@pytest.mark.parametrize("acquisition", ACQUISITIONS.values(), ids=ACQUISITIONS)
def test_what_chose_is_made_again_from_the_record_resumed_and_replayed(acquisition, RE, docs, tmp_path):
    RE(Setup(acquisition=acquisition).map())
    whole, docs.all[:] = list(docs.all), []
    assert replay(through_text(whole)).identical
    path = cut(whole, after_event(whole, "det_largest", 13), tmp_path / "killed.jsonl")
    RE(Setup(acquisition=acquisition).map(resume_from=path))
    assert decisions(docs.all) == decisions(whole, min(decisions(docs.all)))
    assert replay(through_text(docs.all)).identical


def test_a_number_that_is_missing_leaves_the_pixel_good(RE, docs):
    setup = Setup(second=sometimes)
    RE(setup.map())
    missing = np.isnan(setup.optimizer.state.others["smallest"])
    assert 0 < missing.sum() < NUM and setup.optimizer.state.n_measured == NUM
    assert replay(through_text(docs.all), acquisition=Between()).identical


def test_a_resumed_run_may_look_at_what_the_old_one_did_not(RE, docs, tmp_path):
    setup = Setup(others=["smallest"])
    RE(setup.map(12))
    path = cut(docs.all, len(docs.all), tmp_path / "old.jsonl")
    docs.all.clear()
    new = Setup()
    RE(new.map(resume_from=path))
    assert np.isfinite(new.optimizer.state.others["spectrum"]).all()


def test_a_detector_without_the_number_is_an_error_at_once(RE):
    setup = Setup(others=["smallest", "imprint"])
    with pytest.raises(KeyError, match=r"'primary' carry no \['det_imprint'\].*others="):
        RE(setup.map())


def test_keys_may_be_given():
    optimizer = PixelOptimizer(GRID, "height", others=["tilt", "width"])
    agent = GPAgent(optimizer, target="afm_z", others={"tilt": "afm_tilt", "width": "camera_width"})
    assert agent.metadata()["other_keys"] == {"tilt": "afm_tilt", "width": "camera_width"}
    with pytest.raises(ValueError, match=r"which event keys are \['width'\]"):
        GPAgent(optimizer, target="afm_z", others={"tilt": "afm_tilt"})
    with pytest.raises(ValueError, match=r"PixelOptimizer\(..., others=\['tilt', 'width', 'depth'\]\)"):
        GPAgent(optimizer, target="afm_height", others={"depth": "afm_depth"})
