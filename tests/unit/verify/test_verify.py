"""One recorded run, and a corpus of the same with one fault planted in each: every fault is found by its clause."""

import copy
import json
import re
import threading

import numpy as np
import pytest
from bluesky.utils import RunEngineInterrupted
from click.testing import CliRunner

from bluesky_gp import GPAgent, PixelGrid, PixelOptimizer
from bluesky_gp.cli import cli
from bluesky_gp.devices import PixelStage, SimulatedSpectrometer, SyntheticFerroelectric
from bluesky_gp.plans import adaptive_map, raster_map
from bluesky_gp.recording import Journal, open_catalog, read_journal
from bluesky_gp.verify import CLAUSES, verify

TARGET = "spectrometer_loop_area"


def measure(RE, plan=adaptive_map, num=24, exposure=0.0, hands=lambda agent: None, **options):  # noqa: N803
    sample = SyntheticFerroelectric(shape=(8, 8), failed=0.25)
    stage = PixelStage(grid=PixelGrid((8, 8)), name="stage")
    spectrometer = SimulatedSpectrometer(
        sample, stage, scalarizers=["loop_area"], exposure=exposure, name="spectrometer"
    )
    if plan is raster_map:
        return RE(raster_map([spectrometer], stage, every=4))
    agent = GPAgent(PixelOptimizer(stage.grid, "loop_area", batch_size=6, n_initial=6), target=TARGET)
    hands(agent)
    return RE(adaptive_map([spectrometer], stage, agent, num=num, **options))


def people(agent):
    """Ask for this and that before the run begins."""
    agent.add_pixels([(7, 7), (0, 5)], who="ada")
    agent.forbid({"rectangle": [[3, 0], [4, 2]]}, who="grace")
    agent.configure(acquisition="ucb", who="ada")


@pytest.fixture
def recorded(RE, docs):
    """The documents of a run, which may be changed."""
    measure(RE, hands=people)
    documents = copy.deepcopy(docs.all)
    docs.all.clear()
    return documents


def written(documents, path):
    """Write the journal of a run."""
    journal = Journal(path)
    for name, doc in documents:
        journal.append(name, doc)
    journal.close()
    return path


def stream(documents, name):
    """The events of a stream."""
    (uid,) = [doc["uid"] for kind, doc in documents if kind == "descriptor" and doc["name"] == name]
    return [doc for kind, doc in documents if kind == "event" and doc["descriptor"] == uid]


def without(documents, doc):
    documents[:] = [pair for pair in documents if pair[1] is not doc]


def renumbered(documents, doc):
    """Leave an event out as if it had never been, in numbers and in the stop document."""
    without(documents, doc)
    (name,) = [d["name"] for kind, d in documents if kind == "descriptor" and d["uid"] == doc["descriptor"]]
    for number, event in enumerate(stream(documents, name), start=1):
        event["seq_num"] = number
    documents[-1][1]["num_events"][name] -= 1


def a_document_without_a_time(documents):
    del stream(documents, "primary")[3]["time"]


def an_event_that_is_missing(documents):
    without(documents, stream(documents, "gp_maps")[1])


def a_key_that_no_descriptor_has(documents):
    event = stream(documents, "primary")[3]
    event["data"]["more"], event["timestamps"]["more"] = 1.0, 0.0


def no_stop_document(documents):
    del documents[-1]


def a_count_that_is_another(documents):
    documents[-1][1]["num_events"]["primary"] += 1


def a_decision_that_is_missing(documents):
    renumbered(documents, stream(documents, "gp")[2])


def a_pixel_that_is_missing(documents):
    renumbered(documents, next(e for e in stream(documents, "primary")[9:] if np.isfinite(e["data"][TARGET])))
    for event in stream(documents, "gp")[2:]:
        event["data"]["gp_n_outcomes"] -= 1


def a_pixel_that_is_elsewhere(documents):
    measured = {(e["data"]["stage_row"], e["data"]["stage_col"]) for e in stream(documents, "primary")}
    event = next(e for e in stream(documents, "primary")[9:] if np.isfinite(e["data"][TARGET]))
    row, col = next((r, c) for r in range(8) for c in range(8) if (r, c) not in measured)
    event["data"] |= {"stage_row": float(row), "stage_col": float(col)}


def a_failure_without_a_reason(documents):
    stream(documents, "gp_failures")[0]["data"]["gp_failures_reason"] = ""


def a_value_that_nobody_explains(documents):
    renumbered(documents, stream(documents, "gp_failures")[0])


def a_value_that_is_not_its_spectrums(documents):
    good = [e for e in stream(documents, "primary") if np.isfinite(e["data"][TARGET])]
    good[-1]["data"][TARGET] *= 1.001


def letters_where_its_spectrum_should_be(documents):
    good = [e for e in stream(documents, "primary") if np.isfinite(e["data"][TARGET])]
    good[-1]["data"]["spectrometer_spectrum"] = ["a"] * 4


def a_hyperparameter_beyond_its_bounds(documents):
    stream(documents, "gp")[2]["data"]["gp_kernel_theta"][1] = 99.0


def a_decision_with_another_best(documents):
    stream(documents, "gp")[2]["data"]["gp_best_value"] *= 1.0 + 1e-15


def an_action_of_nobody(documents):
    stream(documents, "gp_hands")[1]["data"]["gp_hands_who"] = ""


def a_pixel_of_a_person_that_nobody_asked_for(documents):
    stream(documents, "gp_hands")[0]["data"]["gp_hands_arguments"] = '{"pixels": [[7, 7]]}'


def no_version_of_numpy(documents):
    del documents[0][1]["gp"]["versions"]["numpy"]


FAULTS = {
    a_document_without_a_time: {"documents"},
    an_event_that_is_missing: {"order", "complete"},
    a_key_that_no_descriptor_has: {"order"},
    no_stop_document: {"complete"},
    a_count_that_is_another: {"complete"},
    a_decision_that_is_missing: {"decisions", "proposals", "places", "replay"},
    a_pixel_that_is_missing: {"proposals", "replay"},
    a_pixel_that_is_elsewhere: {"proposals", "places", "replay"},
    a_failure_without_a_reason: {"values"},
    a_value_that_nobody_explains: {"values"},
    a_value_that_is_not_its_spectrums: {"targets", "replay"},
    letters_where_its_spectrum_should_be: {"targets"},
    a_hyperparameter_beyond_its_bounds: {"hyperparameters", "replay"},
    a_decision_with_another_best: {"replay"},
    an_action_of_nobody: {"hands"},
    a_pixel_of_a_person_that_nobody_asked_for: {"hands", "replay"},
    no_version_of_numpy: {"versions"},
}
"""Faults, and the clauses that find each."""


def broken(clauses):
    return {clause.name for clause in clauses if not clause.holds}


def sentences(clauses):
    return {clause.name: clause.sentence for clause in clauses}


def test_a_run_as_it_was_recorded_keeps_every_clause(recorded):
    clauses = verify(recorded)
    assert [clause.name for clause in clauses] == list(CLAUSES)
    assert not broken(clauses), clauses
    said = sentences(clauses)
    assert said["proposals"].startswith("24 pixels proposed; ") and "0 abandoned" in said["proposals"]
    assert said["places"] == "every pixel was measured where it was asked for, at most 0 of a step away"
    assert "bit for bit" in said["replay"] and "24 values" in said["targets"]
    assert said["hands"].startswith("3 actions of people") and said["hands"].endswith("3 heeded by a decision")


def test_a_run_that_another_processor_computed_keeps_every_clause_but_for_rounding(recorded):
    recorded[0][1]["gp"]["arithmetic"] = "openblas Nehalem, X86_V2"
    stream(recorded, "gp")[2]["data"]["gp_std"][0] *= 1.0 + 1e-12
    clauses = verify(recorded)
    assert not broken(clauses), clauses
    assert "but for rounding (iteration 2: std differs, by up to" in sentences(clauses)["replay"]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_a_planted_fault_is_found_by_its_clause(recorded, fault):
    fault(recorded)
    clauses = verify(recorded)
    assert broken(clauses) == FAULTS[fault], clauses


def test_every_clause_finds_something_in_the_corpus():
    assert set().union(*FAULTS.values()) == set(CLAUSES)


def test_a_journal_that_is_damaged_is_told_up_to_where_it_is(recorded, tmp_path):
    path = written(recorded, tmp_path / "run.jsonl")
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:12], b"what is this\n", *lines[12:]]))
    clauses = verify(read_journal(path))
    assert {"documents", "complete"} <= broken(clauses) and "order" not in broken(clauses)
    assert "line 13 is damaged" in sentences(clauses)["documents"]


def test_a_run_that_was_aborted_may_have_abandoned_pixels(RE, docs):
    def pause(name, doc):
        if name == "event" and doc["seq_num"] == 9:
            threading.Thread(target=RE.request_pause, daemon=True).start()

    RE.subscribe(pause)
    with pytest.raises(RunEngineInterrupted):
        measure(RE, exposure=0.05)
    RE.abort()
    clauses = verify(docs.all)
    assert not broken(clauses), clauses
    assert sentences(clauses)["complete"].endswith("it ended as abort")
    assert " 0 abandoned" not in sentences(clauses)["proposals"]


def test_a_run_that_resumes_another_keeps_the_contract(RE, docs, recorded, tmp_path):
    last = next(i for i, (_, doc) in enumerate(recorded) if doc is stream(recorded, "primary")[14])
    measure(RE, resume_from=written(recorded[: last + 1], tmp_path / "killed.jsonl"))
    clauses = verify(docs.all)
    assert not broken(clauses), clauses
    assert "of the run that it resumes" in sentences(clauses)["decisions"]
    total, *parts = (int(number) for number in re.findall(r"\d+", sentences(clauses)["proposals"]))
    rest, *fates = parts
    assert total == sum(fates) and 0 < rest < 6 and "of them by the run that it resumes" in str(clauses)


def test_what_became_of_the_proposed_pixels_adds_up_with_those_that_people_wanted_again_or_left_out(RE, docs):
    agents, pixels = [], []

    def steer(name, doc):
        if name == "event" and TARGET in doc["data"]:
            pixels.append([round(doc["data"][f"stage_{axis}"]) for axis in ("row", "col")])
            if len(pixels) == 8:
                agents[0].add_pixels(pixels[:2], who="ada")
            if len(pixels) == 13:
                agents[0].forbid({"pixels": [*agents[0].decision.proposal.pixels[-2:].tolist()]}, who="ada")

    RE.subscribe(steer)
    measure(RE, hands=agents.append)
    clauses = verify(docs.all)
    assert not broken(clauses), clauses
    said = sentences(clauses)["proposals"]
    total, *fates = (int(number) for number in re.findall(r"\d+", said))
    assert total == sum(fates) > 24 and fates[0] + fates[1] == 24
    assert "2 measured again" in said and "2 left out as people wanted" in said and said.endswith(" 0 abandoned")


def test_of_a_run_that_no_agent_steered_the_clauses_of_any_run_are_checked(RE, docs):
    measure(RE, raster_map)
    clauses = verify(docs.all)
    assert [clause.name for clause in clauses] == ["documents", "order", "complete"] and not broken(clauses)


def test_without_replay_nothing_is_decided_again(recorded, monkeypatch):
    monkeypatch.setattr("bluesky_gp.verify.decisions.replay", lambda *args, **given: pytest.fail("it was"))
    assert "replay" not in sentences(verify(recorded, replay=False))


def test_the_command_says_yes_or_no_and_so_does_its_exit_code(RE, tmp_path):
    with open_catalog(tmp_path / "data") as catalog:
        RE.subscribe(catalog.writer)
        (uid,) = measure(RE)
        recorded = list(read_journal(catalog.journal(uid)))
    good = CliRunner().invoke(cli, ["verify", "last", "--catalog", str(tmp_path / "data")])
    assert good.exit_code == 0, good.output
    assert [line[:4] for line in good.output.splitlines()] == ["yes "] * len(CLAUSES)
    a_failure_without_a_reason(recorded)
    path = written(recorded, tmp_path / "faulty.jsonl")
    bad = CliRunner().invoke(cli, ["verify", str(path), "--no-replay", "--json"])
    told = json.loads(bad.output)
    assert bad.exit_code == 1 and told["holds"] is False
    assert [clause["name"] for clause in told["clauses"] if not clause["holds"]] == ["values"]


def test_what_the_catalog_gives_back_keeps_the_contract_too(RE, tmp_path):
    with open_catalog(tmp_path / "data") as catalog:
        RE.subscribe(catalog.writer)
        (uid,) = measure(RE)
        assert not broken(clauses := verify(catalog[uid].documents())), clauses
