"""A run that ended too early is gone on with, as if it had never ended."""

import threading
from pathlib import Path

import numpy as np
import pytest
from bluesky.utils import RunEngineInterrupted
from ophyd.status import DeviceStatus
from recorded_runs import NUM, Run, after_pixels, cut
from sklearn.gaussian_process.kernels import RBF, WhiteKernel

from bluesky_gp import GPAgent
from bluesky_gp.export import to_dataset
from bluesky_gp.plans import ask_agent, one_pixel
from bluesky_gp.plots import run_figure
from bluesky_gp.recording import ResumeError, open_catalog, read_journal
from bluesky_gp.run import RunRecord

COMPARED = ("proposed", "mean", "std", "acquisition", "kernel_theta", "noise_std", "best_value", "n_measured")


def rows(record, first=0):
    """What was decided in each iteration, bit for bit."""
    chosen = range(first, int(record.iterations["iteration"][-1]) + 1)
    place = {int(number): i for i, number in enumerate(record.iterations["iteration"])}
    return {i: [record.iterations[key][place[i]].tobytes() for key in COMPARED] for i in chosen}


def pixels(*records):
    return [outcome.pixel for record in records for outcome in record.outcomes]


def pause_at(RE, bench, number):  # noqa: N803
    """Ask for a pause while the detector is triggered for the `number`-th time, an exposure that never ends."""
    trigger = bench.detector.trigger

    def triggered():
        status = trigger()
        if len(bench.detector.triggered) != number:
            return status
        threading.Thread(target=RE.request_pause, daemon=True).start()
        return DeviceStatus(bench.detector)

    bench.detector.trigger = triggered


@pytest.mark.parametrize("count", range(1, 47, 5))
def test_a_run_killed_anywhere_goes_on_as_if_it_had_never_been(whole, session, RE, docs, tmp_path, count):
    path = cut(whole, count, tmp_path / "killed.jsonl")
    RE(session().map(NUM, resume_from=path))
    one, other, full = (RunRecord.from_documents(d) for d in (read_journal(path), docs.all, whole))
    assert pixels(one, other) == pixels(full)
    first = int(other.iterations["iteration"][0])
    assert rows(other, first) == rows(full, first)
    assert docs.stops[0]["exit_status"] == "success" and other.iterations["stop_reason"][-1] == "num"


@pytest.mark.parametrize("measured", [3, 5, 6, 7, 9])
def test_a_run_killed_among_its_first_pixels_follows_its_design_to_the_end(session, RE, docs, tmp_path, measured):
    options = {"initial": "sobol", "n_initial": 7, "min_distance": 2.0}
    RE(session(**options).map(NUM))
    full, docs.all[:] = list(docs.all), []
    path = cut(full, after_pixels(full, measured), tmp_path / "killed.jsonl")
    RE(session(**options).map(NUM, resume_from=path))
    assert pixels(*(RunRecord.from_documents(d) for d in (read_journal(path), docs.all))) == pixels(
        RunRecord.from_documents(full)
    )


def test_the_new_run_refers_to_the_old_and_says_what_it_inherits(whole, session, RE, docs, tmp_path):
    path = cut(whole, after_pixels(whole, 13), tmp_path / "killed.jsonl")
    RE(session().map(NUM, resume_from=path))
    resumed = docs.starts[0]["gp"]["resumed_from"]
    assert resumed["uid"] == whole[0][1]["uid"]
    assert (resumed["n_attempted"], resumed["n_decisions"]) == (13, 3)
    assert resumed["learnt"] == [0, 5, 5] and len(resumed["values"]) == 13
    assert docs.starts[0]["gp"]["num"] == NUM


def test_it_first_measures_the_rest_of_the_last_batch(whole, session, RE, docs, tmp_path):
    path = cut(whole, after_pixels(whole, 13), tmp_path / "killed.jsonl")
    old = RunRecord.from_documents(read_journal(path))
    assert old.abandoned.tolist() == old.iterations["proposed"][2][3:].tolist()
    RE(session().map(NUM, resume_from=path))
    new = RunRecord.from_documents(docs.all)
    assert new.measured[0][:2].tolist() == old.abandoned.tolist() and len(new.outcomes) == NUM - 13
    assert new.abandoned.tolist() == []


def test_the_record_of_the_new_run_has_the_pixels_of_both(whole, session, RE, docs, tmp_path):
    RE(session().map(NUM, resume_from=cut(whole, after_pixels(whole, 13), tmp_path / "killed.jsonl")))
    new, full = RunRecord.from_documents(docs.all), RunRecord.from_documents(whole)
    assert len(new.measured[1]) == NUM - 13
    assert all(np.array_equal(*pair) for pair in zip(new.together.measured, full.measured, strict=True))
    assert np.isfinite(to_dataset(new)["measured"]).sum() == NUM


def test_a_resumed_run_is_drawn_whether_or_not_the_best_pixel_is_its_own(whole, session, RE, docs, tmp_path):
    RE(session().map(NUM, resume_from=cut(whole, after_pixels(whole, NUM - 1), tmp_path / "killed.jsonl")))
    figure = run_figure(RunRecord.from_documents(docs.all))
    assert f"{NUM} of 64 pixels" in [panel.get_title() for panel in figure.axes]


def test_a_hundred_more_is_a_resume_with_a_larger_number(session, RE, docs):
    RE(session().map(12))
    first, docs.all[:] = list(docs.all), []
    RE(session().map(NUM, resume_from=Run(first)))
    second, docs.all[:] = list(docs.all), []
    assert len(RunRecord.from_documents(second).outcomes) == NUM - 12
    assert len(set(pixels(*map(RunRecord.from_documents, (first, second))))) == NUM


def test_a_resume_of_a_resume_needs_only_the_last_run(whole, session, RE, docs, tmp_path):
    path = cut(whole, after_pixels(whole, 7), tmp_path / "0.jsonl")
    records = [RunRecord.from_documents(read_journal(path))]
    for number in (1, 2, 3):
        RE(session().map(NUM, resume_from=path))
        path.unlink()
        path = cut(docs.all, after_pixels(docs.all, 3), tmp_path / f"{number}.jsonl")
        docs.all.clear()
        records.append(RunRecord.from_documents(read_journal(path)))
    RE(session().map(NUM, resume_from=path))
    last, full = RunRecord.from_documents(docs.all), RunRecord.from_documents(whole)
    assert pixels(*records, last) == pixels(full)
    assert rows(last, int(last.iterations["iteration"][0])) == rows(full, int(last.iterations["iteration"][0]))


def test_an_aborted_run_is_resumed_by_its_uid_from_a_catalog_on_disk(whole, session, RE, docs, tmp_path):
    with open_catalog(tmp_path / "data") as catalog:
        RE.subscribe(catalog.writer)
        bench = session()
        pause_at(RE, bench, 14)
        with pytest.raises(RunEngineInterrupted):
            RE(bench.map(NUM))
        (uid,) = RE.abort()
        assert docs.stops[0]["exit_status"] == "abort"
        again = session()
        again.agent = GPAgent(again.optimizer, target="det_height", catalog=catalog)
        (new,) = RE(again.map(NUM, resume_from=uid[:8]))
        assert again.optimizer.state.n_measured == NUM
        one, other = (RunRecord.from_documents(catalog[run].documents()) for run in (uid, new))
        assert pixels(one, other) == pixels(RunRecord.from_documents(whole))
        RE(session().map(NUM + 5, resume_from=catalog[new]))  # the run itself, read from the catalog's tables
        third = RunRecord.from_documents(catalog[-1].documents())
        assert len(third.outcomes) == 5 and third.inherited.uid == new


def test_what_the_optimizer_knew_before_the_first_run_is_known_again(session, RE, docs, tmp_path):
    told = [{"row": i, "col": (3 * i) % 8, "height": float(i)} for i in range(7)]
    bench = session()
    bench.optimizer.ingest(told[:4])
    bench.optimizer.ingest(told[4:])
    bench.optimizer.register_failures([{"row": 7, "col": 7}])
    RE(bench.map(NUM))
    full, docs.all[:] = list(docs.all), []
    assert bench.optimizer.state.n_measured == NUM + 7
    again = session()
    RE(again.map(NUM, resume_from=cut(full, after_pixels(full, 9), tmp_path / "killed.jsonl")))
    assert again.optimizer.state.n_measured == NUM + 7 and again.optimizer.state.n_failed == 1
    new = RunRecord.from_documents(docs.all)
    first = int(new.iterations["iteration"][0])
    assert rows(new, first) == rows(RunRecord.from_documents(full), first)


def test_the_old_runs_failed_pixels_are_not_proposed_again(session, RE, docs, tmp_path):
    script = {(row, col): ["fail"] for row in range(8) for col in range(0, 8, 3)}
    RE(session(script=script).map(30, per_pixel=_patient))
    first, docs.all[:] = list(docs.all), []
    RE(session().map(64, resume_from=Run(first)))
    new = RunRecord.from_documents(docs.all)
    assert not set(pixels(new)) & set(pixels(RunRecord.from_documents(first))) and len(new.outcomes) == 34


def _patient(detectors, stage, agent, pixel):
    from bluesky_gp.plans import tolerant

    return (yield from tolerant(one_pixel, retries=0, max_failures=99)(detectors, stage, agent, pixel))


def test_the_run_after_a_resumed_one_starts_afresh(whole, session, RE, docs, tmp_path):
    bench = session()
    RE(bench.map(NUM, resume_from=cut(whole, 30, tmp_path / "killed.jsonl")))
    docs.all.clear()
    RE(bench.map(NUM))
    assert "resumed_from" not in docs.starts[0]["gp"]
    assert rows(RunRecord.from_documents(docs.all)) == rows(RunRecord.from_documents(whole))


def test_a_run_killed_after_its_last_pixel_only_lacks_the_last_word(whole, session, RE, docs, tmp_path):
    bench = session()
    RE(bench.map(NUM, resume_from=cut(whole, after_pixels(whole, NUM), tmp_path / "killed.jsonl")))
    assert docs.counts == {"gp": 1, "gp_maps": 1} and docs.stops[0]["exit_status"] == "success"
    assert bench.optimizer.state.n_measured == NUM


def test_a_pause_while_the_old_run_is_read_is_served_and_changes_nothing(whole, session, RE, docs, tmp_path):
    bench = session()
    path = cut(whole, 30, tmp_path / "killed.jsonl")
    learn, asked = bench.optimizer.learn, []

    def pausing(*args, **options):
        if not asked:
            asked.append(RE.request_pause())
        return learn(*args, **options)

    bench.optimizer.learn = pausing
    with pytest.raises(RunEngineInterrupted):
        RE(bench.map(NUM, resume_from=path))
    assert not docs.all
    RE.resume()
    assert bench.optimizer.state.n_measured == NUM


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"shape": (8, 9)}, r"grid.shape was \[8, 8\] and is \[8, 9\]"),
        ({"kernel": RBF(2.0) + WhiteKernel()}, r"kernel.k1 was 1\*\*2 \* RotatedMatern.* and is RBF\(length_scale=2\)"),
    ],
)
def test_another_grid_or_kernel_is_refused_before_anything_moves(whole, session, RE, docs, tmp_path, options, message):
    bench = session(**options)
    with pytest.raises(ResumeError, match=message):
        RE(bench.map(NUM, resume_from=cut(whole, 30, tmp_path / "killed.jsonl")))
    assert not docs.all and not bench.detector.triggered and "stage" not in bench.detector.calls
    RE(bench.map(3))
    assert docs.stops[0]["exit_status"] == "success"


def test_another_length_scale_is_named(session, RE, docs):
    RE(session(kernel=RBF(2.0) + WhiteKernel()).map(6))
    with pytest.raises(ResumeError, match=r"other settings: kernel.k1.length_scale was 2.0 and is 3.0$"):
        RE(session(kernel=RBF(3.0) + WhiteKernel()).map(12, resume_from=Run(list(docs.all))))


def test_another_target_is_refused(whole, session, RE):
    bench = session()
    bench.agent = GPAgent(bench.optimizer, target="det_area")
    with pytest.raises(ResumeError, match="target was 'det_height' and is 'det_area'"):
        RE(bench.map(NUM, resume_from=Run(whole)))


@pytest.mark.parametrize("version", [2, None, "1"])
def test_a_schema_that_this_version_does_not_read_is_refused(whole, session, RE, version):
    (name, start), *rest = whole
    later = [(name, {**start, "gp": {**start["gp"], "schema_version": version}}), *rest]
    with pytest.raises(ResumeError, match=f"gp.schema_version {version!r}, and this version of bluesky_gp reads 1"):
        RE(session().map(NUM, resume_from=Run(later)))


def test_a_number_below_what_was_attempted_is_refused(whole, session, RE):
    with pytest.raises(ResumeError, match=f"has attempted {NUM} pixels already, and num=20 counts those as well"):
        RE(session().map(20, resume_from=Run(whole)))


def test_a_uid_without_a_catalog_is_refused(session, RE):
    with pytest.raises(ResumeError, match=r"no journal 'abcdef', and no catalog .* GPAgent\(..., catalog="):
        RE(session().map(20, resume_from="abcdef"))


def test_a_run_that_still_goes_on_is_refused_by_whatever_name(whole, session, RE, tmp_path):
    """Paused in this session or in another; what a session left that died is gone on with."""
    bench, uid = session(), whole[0][1]["uid"]
    catalog = open_catalog(tmp_path)
    bench.agent = GPAgent(bench.optimizer, target="det_height", catalog=catalog)
    for name, doc in whole[: after_pixels(whole, 13)]:
        catalog.writer(name, doc)
    for old in (catalog.journal(uid), uid[:8], Run(whole[: after_pixels(whole, 13)])):
        with pytest.raises(ResumeError, match=r"the run still goes on: .*pending.*RE.abort\(\) if it is paused"):
            RE(bench.map(NUM, resume_from=old))
    assert not bench.detector.triggered
    catalog.close()
    with open_catalog(tmp_path) as bench.agent._preparation._catalog:
        RE(bench.map(NUM, resume_from=uid))
    assert bench.optimizer.state.n_measured == NUM


def test_what_names_no_run_is_refused(session, RE, tmp_path):
    bench = session()
    refused = {
        "": "has no run ''",
        "ab": "has no run 'ab': Partial uid 'ab' is too short",
        "abcdef": "has no run 'abcdef'",
        Path("nowhere.jsonl"): "there is no journal 'nowhere.jsonl'",
        99: "has no run 99",
    }
    with open_catalog(tmp_path) as catalog:
        bench.agent = GPAgent(bench.optimizer, target="det_height", catalog=catalog)
        for run, message in refused.items():
            with pytest.raises(ResumeError, match=message):
                RE(bench.map(20, resume_from=run))


def test_a_run_without_an_agent_is_refused(session, RE, docs):
    from bluesky.plans import count

    bench = session()
    RE(count([bench.detector]))
    with pytest.raises(ResumeError, match="no run that a GPAgent steered"):
        RE(bench.map(20, resume_from=Run(list(docs.all))))


def test_a_record_that_lacks_an_iteration_is_refused(whole, session, RE):
    second = [i for i, (n, d) in enumerate(whole) if n == "event" and d["data"].get("gp_iteration") == 1]
    with pytest.raises(ValueError, match="lacks iteration 1"):
        RE(session().map(30, resume_from=Run([pair for i, pair in enumerate(whole) if i not in second])))


def test_a_plan_of_ones_own_resumes_with_the_stubs(whole, session, RE, docs):
    import bluesky.preprocessors as bpp

    from bluesky_gp.plans import measure_pixels, prepare_agent, start_metadata

    bench = session()

    def mine():
        history = yield from prepare_agent(bench.agent, resume_from=Run(whole))
        metadata = start_metadata(*bench.things, num=NUM + 4, history=history)
        inner = bpp.run_wrapper(asking(), md=metadata)
        yield from bpp.subs_wrapper(inner, bench.agent)

    def asking():
        while pixels := (yield from ask_agent(bench.agent)):
            yield from measure_pixels(*bench.things, pixels)

    RE(mine())
    assert docs.counts["primary"] == 4 and bench.optimizer.state.n_measured == NUM + 4
    assert np.isfinite(bench.optimizer.mean).all()
