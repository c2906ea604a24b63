"""A recorded run decided once more: identical, or the first thing that differs is named."""

import os
import subprocess
import sys
from platform import machine

import numpy as np
import pytest
from click.testing import CliRunner
from recorded_runs import NUM, cut, through_text
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, DotProduct, Matern, WhiteKernel
from sklearn.preprocessing import FunctionTransformer, PowerTransformer

from bluesky_gp import ConfidenceBound, PixelOptimizer, PosteriorUncertainty
from bluesky_gp.cli import cli
from bluesky_gp.optimizer import LocalPenalization, MaxPixels, OnTheWay, Recipe
from bluesky_gp.plain_data import describe
from bluesky_gp.plans import one_pixel, tolerant
from bluesky_gp.recording import documents_of, open_catalog
from bluesky_gp.recording.codec import encode
from bluesky_gp.replay import alternatives, replay
from bluesky_gp.run import RunRecord


def test_every_iteration_and_every_map_comes_out_the_same_to_the_last_bit(whole):
    result = replay(whole)
    assert result.identical and (result.n_iterations, result.n_maps) == (6, 5)
    assert replay(through_text(whole)).identical


def test_documents_that_can_be_read_only_once_are_enough(whole):
    assert replay(iter(whole)).identical


OPTIONS = {
    "acquisition with a parameter": {"acquisition": ConfidenceBound(3.0), "batch": 1.0},
    "smaller is better": {"maximize": False, "seed": 7, "batch": 0.3},
    "a user's kernel": {"kernel": ConstantKernel(2.0, (0.1, 10.0)) * Matern([2.0, 3.0], nu=1.5) + WhiteKernel(0.01)},
    "a kernel that is not stationary": {"kernel": DotProduct() + RBF(2.0) + WhiteKernel(0.1)},
    "fixed hyperparameters": {"kernel": RBF(2.0, "fixed") + WhiteKernel(0.01, "fixed")},
    "a polynomial trend": {"mean": 1},
    "a known map": {"mean": np.linspace(0.0, 9.0, 64).reshape(8, 8)},
    "an earlier map's prior": {"prior": {"theta": [0.0, 1.0, 1.0, -3.0, 0.0, -3.0], "std": 0.3}},
    "a transformation": {"transform": PowerTransformer(standardize=False)},
    "outliers": {"outliers": 4.0},
    "a rule that stops it": {"stopping": [MaxPixels(12)]},
    "a purpose": {"purpose": "maximum"},
    "a batch chosen otherwise, at a distance": {"batch": LocalPenalization(), "min_distance": 2.0},
    "pixels that rest": {"min_distance": 2.0, "resting": 6},
    "a batch for a slow stage": {"batch": OnTheWay((0.5, 5.0), exposure=0.1)},
    "a design that ends within a batch": {"initial": "sobol", "n_initial": 7},
    "disks": {"initial": "poisson", "seed": 3},
    "a list longer than a batch": {"initial": [(row, row) for row in range(8)]},
}


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_the_start_document_describes_every_choice_well_enough_to_repeat_it(session, RE, docs, options):
    RE(session(**options).map(NUM))
    result = replay(through_text(docs.all))
    assert result.identical, str(result.difference)


def test_failed_rejected_and_marked_pixels_are_replayed(session, RE, docs):
    bench = session(script={(row, col): ["fail"] for row in range(8) for col in (1, 5)} | {(0, 0): ["nan"]})
    marked = []

    def marking(pixels):
        if len(marked) < 2 and bench.optimizer.state.n_measured > 4:
            marked.append(tuple(bench.optimizer.grid.unravel(bench.optimizer.state.pixels[:1])[0].tolist()))
            bench.agent.mark_failed(marked[-1], "a bubble")
        yield from ()

    RE(bench.map(40, per_batch=marking, per_pixel=tolerant(one_pixel, retries=0, max_failures=99)))
    assert docs.counts["gp_failures"] > 3 and marked
    assert replay(docs.all).identical


def test_a_resumed_run_is_replayed_from_its_own_record(whole, session, RE, docs, tmp_path):
    RE(session().map(NUM, resume_from=cut(whole, 20, tmp_path / "killed.jsonl")))
    result = replay(docs.all)
    assert result.identical and result.n_iterations == docs.counts["gp"] == 3


def test_a_run_that_began_with_knowledge_and_one_that_was_finished_by_hand_are_replayed(session, RE, docs):
    bench = session()
    bench.optimizer.ingest([{"row": 1, "col": 2, "height": 3.0}, {"row": 4, "col": 2, "height": float("nan")}])
    bench.optimizer.ingest([{"row": i, "col": i, "height": float(i)} for i in range(6)])

    def finishing(pixels):
        if bench.optimizer.state.n_measured > 12:
            bench.agent.finish()
        yield from ()

    RE(bench.map(50, per_batch=finishing))
    assert docs.column("gp_stop_reason", "gp")[-1] == "finished by hand"
    assert replay(through_text(docs.all)).identical


def test_events_that_a_rewind_repeats_count_once(whole):
    twice = [pair for pair in whole for _ in range(2 if pair[0] == "event" else 1)]
    assert replay(twice).identical


def changed(documents, iteration, key, change):
    """The documents with one quantity of one iteration changed."""
    result = through_text(documents)
    for name, doc in result:
        if name == "event" and doc["data"].get("gp_iteration") == iteration:
            doc["data"][key] = change(np.array(doc["data"][key])).tolist()
    return result


@pytest.mark.parametrize(
    ("key", "quantity"),
    [("gp_kernel_theta", "kernel_theta"), ("gp_std", "std"), ("gp_acquisition", "acquisition"), ("gp_noise_std",) * 2],
)
def test_the_first_iteration_and_quantity_that_differ_are_named(whole, key, quantity):
    result = replay(changed(whole, 3, key, lambda values: np.nextafter(values, np.inf)))
    assert not result.identical and result.n_different == 1
    assert str(result.difference).startswith(f"iteration 3: {quantity.removeprefix('gp_')} differs, ")


def test_another_batch_is_named_and_the_rest_is_compared_with_what_was_measured(whole):
    result = replay(changed(whole, 2, "gp_proposed", lambda pixels: pixels[::-1]))
    assert str(result.difference).startswith("iteration 2: proposed differs")


def test_a_map_that_differs_is_named(whole):
    documents = through_text(whole)
    event = next(doc for name, doc in documents if name == "event" and doc["data"].get("gp_maps_iteration") == 4)
    event["data"]["gp_maps_std"][3][3] *= 1.0 + 1e-15
    assert str(replay(documents).difference).startswith("iteration 4: map of std differs, by up to ")


def test_versions_that_differ_are_told(whole):
    documents = through_text(whole)
    documents[0][1]["gp"]["versions"] |= {"scipy": "0.9", "left": "1.0"}
    here = documents[0][1]["gp"]["versions"]["numpy"]
    result = replay(documents)
    assert result.versions == {"scipy": ("0.9", result.versions["scipy"][1]), "left": ("1.0", "none")}
    assert "numpy" not in result.versions and here


ELSEWHERE = {"OPENBLAS_CORETYPE": "Prescott", "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4"}
ON_ANOTHER = """
import sys
from pathlib import Path
from bluesky_gp.recording import documents_of
from bluesky_gp.replay import replay
result = replay(documents_of(Path(sys.argv[1])))
print(result.identical, result.repeats, result.arithmetic[0] != result.arithmetic[1], result.difference)
"""


@pytest.mark.skipif(machine() != "x86_64", reason="OpenBLAS is told to take another processor's kernels by x86 names")
def test_on_another_processor_a_run_repeats_but_for_rounding(whole, tmp_path):
    path = cut(whole, len(whole), tmp_path / "run.jsonl")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", ON_ANOTHER, str(path)],
        env=os.environ | ELSEWHERE, capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    assert done.stdout.startswith("False True True iteration "), done.stdout


def elsewhere(documents):
    """The documents as if another processor had computed their decisions."""
    (name, start), *rest = documents
    return [(name, {**start, "gp": {**start["gp"], "arithmetic": "openblas Nehalem, X86_V2"}}), *rest]


@pytest.mark.parametrize(
    ("change", "repeats"), [(lambda x: x * (1.0 + 1e-12), True), (lambda x: x * (1.0 + 1e-4), False)]
)
def test_rounding_is_excused_where_another_processor_computed_and_nowhere_else(whole, change, repeats):
    documents = changed(whole, 2, "gp_mean", change)
    assert replay(elsewhere(documents)).repeats is repeats
    assert not replay(documents).repeats


def test_no_processor_excuses_another_pixel_and_it_is_named_before_what_is_rounded(whole):
    documents = changed(changed(whole, 2, "gp_mean", lambda x: x * (1.0 + 1e-12)), 4, "gp_proposed", lambda p: p[::-1])
    result = replay(elsewhere(documents))
    assert not result.repeats and result.n_different > 1
    assert str(result.difference).startswith("iteration 4: proposed differs")


def test_what_another_rule_would_have_chosen_is_told_for_every_iteration(whole):
    found = alternatives(whole, PosteriorUncertainty())
    assert [choice.iteration for choice in found] == [0, 1, 2, 3, 4]
    assert found[0].n_common == 5  # random
    assert any(choice.n_common < len(choice.recorded) for choice in found)
    assert all(len(choice.other) == len(choice.recorded) for choice in found)
    same = alternatives(whole, PixelOptimizer({"shape": (3, 3)}, "t").acquisition)
    assert all(choice.n_common == len(choice.recorded) for choice in same)


def greedy(mean, std, best, *, rng):
    return mean


def test_a_function_of_ones_own_is_asked_for_and_can_be_given(session, RE, docs):
    RE(session(acquisition=greedy).map(NUM))
    with pytest.raises(ValueError, match="acquisition was a function of somebody's own, 'greedy': give it, acquis"):
        replay(docs.all)
    assert replay(docs.all, acquisition=greedy).identical


def test_a_transformation_made_of_functions_is_asked_for(session, RE, docs):
    logarithm = FunctionTransformer(np.log1p, np.expm1, check_inverse=False)
    RE(session(transform=logarithm).map(NUM))
    with pytest.raises(ValueError, match="transform cannot be made again: .*give the object itself, transform="):
        replay(docs.all)
    assert replay(docs.all, transform=logarithm).identical


def test_a_record_that_names_any_other_class_has_it_neither_imported_nor_called(whole, tmp_path):
    for place in (
        "os:system",
        "subprocess:Popen",
        "bluesky_gp.cli.__main__:main",
        "bluesky_gp.recording.journal:Journal",
    ):
        documents = through_text(whole)
        documents[0][1]["gp"]["acquisition"] = {"class": place, "command": "touch harmed"}
        with pytest.raises(ValueError, match="acquisition cannot be made again"):
            replay(documents)


def test_a_run_of_another_optimizer_is_refused(make_bench, RE, docs):
    RE(make_bench().map(5))
    with pytest.raises(
        ValueError, match=r"does not describe a PixelOptimizer: .* lacks \['kernel', 'n_initial', 'maximize', 'seed'\]"
    ):
        replay(docs.all)


def test_the_description_makes_an_equal_description(whole):
    gp = whole[0][1]["gp"]
    again = PixelOptimizer.of(Recipe.of(gp)).describe()
    assert {**{key: gp[key] for key in again}, "stopping": []} == again


def test_a_run_with_the_default_kernel_of_another_day_is_refused_with_both_named(whole):
    gp = whole[0][1]["gp"]
    older = {**gp, "default_kernel": True, "kernel": describe(1.0 * RBF(2.0) + WhiteKernel())}
    with pytest.raises(ValueError, match=r"default kernel of its day, .*RBF.*, and today's is .*RotatedMatern"):
        PixelOptimizer.of(Recipe.of(older))


# -- as a user does it -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def recorded(uninterrupted, tmp_path_factory):
    """A folder with a catalog that holds a run, and the run's uid."""
    folder, uid = str(tmp_path_factory.mktemp("data")), uninterrupted[0][1]["uid"]
    with open_catalog(folder) as catalog:
        for name, doc in uninterrupted:
            catalog.writer(name, doc)
        assert replay(catalog[uid].documents()).identical  # out of the tables, not the journal
        assert replay(documents_of(uid, catalog)).identical
    return folder, uid


def command(*words):
    return CliRunner().invoke(cli, ["replay", *words])


def test_the_command_says_identical(recorded):
    folder, uid = recorded
    answer = command(uid[:8], "--catalog", folder)
    assert answer.exit_code == 0 and answer.output == f"run {uid[:8]}: 6 iterations and 5 maps identical\n"


def test_the_command_takes_a_journal_and_names_what_differs(whole, tmp_path):
    path = tmp_path / "journal.jsonl"
    path.write_bytes(b'{"format":"bluesky_gp.journal","version":1}\n')
    with path.open("ab") as file:
        for name, doc in changed(whole, 2, "gp_mean", lambda values: values + 1.0):
            file.write(encode(name, doc))
    answer = command(str(path))
    assert answer.exit_code == 1
    assert "iteration 2: mean differs, by up to 1\n1 of 6 iterations differ\n" in answer.output


def test_the_command_shows_the_versions_that_differ(whole, tmp_path):
    (name, start), *rest = whole
    gp = {**start["gp"], "versions": {**start["gp"]["versions"], "scipy": "0.19"}}
    answer = command(str(cut([(name, {**start, "gp": gp}), *rest], len(whole), tmp_path / "old.jsonl")))
    assert answer.output.startswith("recorded with scipy 0.19, replayed with 1.") and answer.exit_code == 0


def test_the_command_says_that_a_run_of_another_processor_is_the_same_but_for_rounding(whole, tmp_path):
    documents = elsewhere(changed(whole, 2, "gp_mean", lambda x: x * (1.0 + 1e-12)))
    answer = command(str(cut(documents, len(documents), tmp_path / "there.jsonl")))
    assert answer.exit_code == 0
    assert answer.output.startswith("recorded with openblas Nehalem, X86_V2, replayed with ")
    assert ": 6 iterations and 5 maps the same but for rounding\niteration 2: mean differs, by up to" in answer.output


def test_the_command_tells_what_another_rule_would_have_chosen(recorded):
    folder, uid = recorded
    answer = command(uid, "--catalog", folder, "--with", "ucb")
    assert answer.exit_code == 0 and answer.output.count("pixels the same") == 5
    assert "  ucb       (" in answer.output


def test_the_command_says_what_is_wrong_in_one_line(recorded, tmp_path):
    folder, _ = recorded
    for words, message in [
        (["beefbeef", "--catalog", str(tmp_path / "nowhere")], "there is no catalog in"),
        (["beefbeef", "--catalog", folder], "no run beefbeef in the catalog"),
        (["beefbeef", "--given", "acquisition"], "expected NAME=MODULE:OBJECT"),
    ]:
        answer = command(*words)
        assert answer.exit_code == 2 and message in answer.output


def test_a_function_can_be_given_on_the_command_line(session, RE, docs, tmp_path):
    RE(session(acquisition=greedy).map(NUM))
    path = cut(docs.all, len(docs.all), tmp_path / "run.jsonl")
    (tmp_path / "mine.py").write_text("def greedy(mean, std, best, *, rng):\n    return mean\n")
    command = [sys.executable, "-m", "bluesky_gp.cli", "replay", str(path), "--given", "acquisition=mine:greedy"]
    done = subprocess.run(command, cwd=tmp_path, env=os.environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and done.stdout.endswith("6 iterations and 5 maps identical\n"), done.stderr


def test_a_setting_that_is_none_is_named_and_so_is_what_holds_no_documents(whole):
    with pytest.raises(TypeError, match="replay: 'acquisiton' is no setting of a run, there are grid, target, kernel"):
        replay(whole, acquisiton=None)
    for wrong in ("1a2b3c4d", RunRecord.from_documents(whole)):
        with pytest.raises(
            TypeError, match=r"replay: expected documents, got .*: documents_of\(uid or path, catalog\)"
        ):
            replay(wrong)
