"""An optimizer that the plans of bluesky-adaptive drive: to its stopping rule, and to the end of its grid."""

from bluesky_adaptive import protocols

from bluesky_gp import PixelGrid, PixelOptimizer
from bluesky_gp.optimizer import MaxPixels

GRID = PixelGrid((4, 5))


def optimize(RE, optimizer, **options):
    from bluesky_adaptive.plans import optimize
    from ophyd.sim import SynAxis, SynSignal

    row, col = SynAxis(name="row"), SynAxis(name="col")

    def outcomes(uid, points):
        return [{"_id": point["_id"], "height": float(point["row"])} for point in points]

    problem = protocols.OptimizationProblem(optimizer, [row, col], [SynSignal(func=lambda: 1.0, name="det")], outcomes)
    RE(optimize(problem, **options))


def test_it_follows_the_protocols_of_bluesky_adaptive():
    gp = PixelOptimizer(GRID, "height")
    for protocol in ("Optimizer", "TrialFaultAware", "SupportsStoppingCriteria", "CanRegisterSuggestions"):
        assert isinstance(gp, getattr(protocols, protocol)), protocol
    assert gp.get_best_points() == []
    points = gp.suggest(5)
    assert len({point[protocols.ID_KEY] for point in points}) == 5
    gp.ingest([{"_id": point["_id"], "height": float(i)} for i, point in enumerate(points)])
    ((identifier, parameters, outcome),) = gp.get_best_points()
    assert parameters == {"row": identifier // 5, "col": identifier % 5}
    assert outcome == {"height": gp.best["height"]}


def test_a_stopping_rule_ends_its_plan_in_order(RE):
    gp = PixelOptimizer(GRID, "height", n_initial=5, stopping=[MaxPixels(8)])
    optimize(RE, gp, iterations=20, n_points=4)
    assert gp.state.n_measured == 8
    assert RE.state == "idle"


def test_without_a_number_of_iterations_it_goes_to_the_end_of_the_grid(RE):
    gp = PixelOptimizer(GRID, "height", n_initial=5)
    optimize(RE, gp, iterations=None, n_points=6)
    assert gp.state.n_measured == GRID.size
