"""bluesky-adaptive 1.0 over our devices: its plans drive a PixelOptimizer and find what our plan finds."""

import json

import pytest
from bluesky_adaptive import protocols
from bluesky_adaptive.plans import optimize, optimize_in_run, sample_suggestions

from bluesky_gp import GPAgent, PixelGrid, PixelOptimizer
from bluesky_gp.devices import PixelStage, SimulatedSpectrometer, SyntheticFerroelectric
from bluesky_gp.optimizer import MaxPixels
from bluesky_gp.plans import adaptive_map

GRID = PixelGrid((6, 5), step=(0.5, -0.2), rotation=20.0, units="um")
BATCH, ROUNDS = 4, 4


def make_optimizer(**options):
    return PixelOptimizer(GRID, "loop_area", batch_size=BATCH, n_initial=BATCH, **options)


class Session:
    """A stage and a detector, and outcomes taken from the documents as bluesky-adaptive wants them."""

    def __init__(self, docs):
        self.docs = docs
        self.stage = PixelStage(grid=GRID, name="stage")
        sample = SyntheticFerroelectric(GRID.shape, failed=0.0)
        self.spectrometer = SimulatedSpectrometer(sample, self.stage, name="spectrometer")

    def measured(self, stream="primary"):
        """Values by pixel; of several the first, as every exposure has noise of its own."""
        rows = [event for event in reversed(self.docs.data(stream)) if "spectrometer_loop_area" in event]
        return {(round(e["stage_row"]), round(e["stage_col"])): e["spectrometer_loop_area"] for e in rows}

    def outcomes(self, uid, suggestions):
        values = self.measured()
        return [{"_id": s["_id"], "loop_area": values[s["row"], s["col"]]} for s in suggestions]

    def problem(self, optimizer):
        axes = [self.stage.row, self.stage.col]
        return protocols.OptimizationProblem(optimizer, axes, [self.spectrometer], self.outcomes)


@pytest.fixture
def session(docs):
    return Session(docs)


@pytest.fixture
def ours(RE, session):
    """Pixels and values that our own plan measures."""
    optimizer = make_optimizer()
    agent = GPAgent(optimizer, target="spectrometer_loop_area")
    RE(adaptive_map([session.spectrometer], session.stage, agent, num=BATCH * ROUNDS))
    measured = session.measured()
    session.docs.all.clear()
    return measured, optimizer


def test_it_follows_the_protocols_of_bluesky_adaptive(tmp_path):
    gp = make_optimizer(checkpoint=tmp_path / "map.json")
    names = ("Optimizer", "TrialFaultAware", "SupportsStoppingCriteria", "CanRegisterSuggestions", "Checkpointable")
    for protocol in names:
        assert isinstance(gp, getattr(protocols, protocol)), protocol
    assert gp.get_best_points() == []
    points = gp.suggest(5)
    assert len({point[protocols.ID_KEY] for point in points}) == 5
    gp.ingest([{"_id": point["_id"], "loop_area": float(i)} for i, point in enumerate(points)])
    ((identifier, parameters, outcome),) = gp.get_best_points()
    assert parameters == {"row": identifier // 5, "col": identifier % 5}
    assert outcome == {"loop_area": gp.best["loop_area"]}


@pytest.mark.parametrize("plan", [optimize, optimize_in_run])
def test_its_plans_find_what_ours_finds(RE, session, ours, plan):
    measured, optimizer = ours
    theirs = make_optimizer()
    RE(plan(session.problem(theirs), iterations=ROUNDS, n_points=BATCH))
    assert session.measured().keys() == measured.keys()
    assert theirs.best["row"], theirs.best["col"] == (optimizer.best["row"], optimizer.best["col"])


def test_a_persons_own_points_are_measured_and_learnt(RE, session):
    optimizer = make_optimizer()
    RE(sample_suggestions(session.problem(optimizer), [{"row": 2, "col": 3}, {"row": 4, "col": 0}]))
    assert session.measured().keys() == {(2, 3), (4, 0)}
    assert optimizer.state.n_measured == 2


def test_a_stopping_rule_ends_its_plan_in_order(RE, session):
    gp = make_optimizer(stopping=[MaxPixels(8)])
    RE(optimize(session.problem(gp), iterations=20, n_points=BATCH))
    assert gp.state.n_measured == 8
    assert RE.state == "idle"


def test_without_a_number_of_iterations_it_goes_to_the_end_of_the_grid(RE, session):
    gp = make_optimizer()
    RE(optimize(session.problem(gp), iterations=None, n_points=6))
    assert gp.state.n_measured == GRID.size


def test_a_batch_that_fails_is_registered_and_goes_no_further(RE, session):
    gp, problem = make_optimizer(), session.problem
    session.spectrometer.trigger = lambda: 1 / 0
    with pytest.raises(ZeroDivisionError):
        RE(optimize(problem(gp), iterations=3, n_points=BATCH))
    assert (gp.state.n_measured, gp.state.n_failed) == (0, BATCH)


def test_after_a_checkpoint_another_process_goes_on_as_if_nothing_had_happened(RE, session, tmp_path):
    gp = make_optimizer(checkpoint=tmp_path / "map.json")
    gp.register_failures([{"row": 0, "col": 0}])
    RE(optimize(session.problem(gp), iterations=ROUNDS, n_points=BATCH, checkpoint_interval=ROUNDS - 1))
    again = PixelOptimizer.from_checkpoint(tmp_path / "map.json")
    assert again.state.n_measured == BATCH * (ROUNDS - 1)
    RE(optimize(session.problem(again), iterations=1, n_points=BATCH, checkpoint_interval=1))
    assert again.suggest() == gp.suggest()
    assert (again.mean == gp.mean).all()
    assert PixelOptimizer.from_checkpoint(tmp_path / "map.json").suggest() == gp.suggest()


def test_an_optimizer_that_was_steered_by_an_agent_is_written_as_well(ours, tmp_path):
    _, steered = ours
    kept = make_optimizer(checkpoint=tmp_path / "map.json")
    kept.restore(steered.state)
    kept.checkpoint()
    again = PixelOptimizer.from_checkpoint(tmp_path / "map.json")
    assert sorted(again.state.pixels) == sorted(steered.state.pixels)


def test_a_checkpoint_without_a_file_and_a_file_that_is_none_are_said(tmp_path):
    with pytest.raises(
        ValueError, match=r"checkpoint\(\) has no file: give PixelOptimizer\(..., checkpoint='map.json'"
    ):
        make_optimizer().checkpoint()
    (tmp_path / "map.json").write_text(json.dumps([1, 2]))
    with pytest.raises(ValueError, match=r"map.json is no checkpoint of a PixelOptimizer"):
        PixelOptimizer.from_checkpoint(tmp_path / "map.json")
