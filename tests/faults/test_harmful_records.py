"""A journal whose lines are in order and whose documents are made to harm: an error, and no more."""

import copy
import random
import tracemalloc

import pytest
from click.testing import CliRunner
from recorded_runs import NUM, Run, after_pixels, cut

from bluesky_gp.cli import cli
from bluesky_gp.recording import read_journal
from bluesky_gp.recording.codec import encode
from bluesky_gp.replay import replay
from bluesky_gp.run import RunRecord, resume

HEADER = b'{"format":"bluesky_gp.journal","version":1}\n'
HARMFUL = [
    None, -1, 10**18, 1e308, float("nan"), "", "x" * 1000, [], {}, [10**6, 10**6], [30_000, 30_000], [10**9], [[1]],
    "os:abort", {"class": "os:abort"}, {"class": "subprocess:Popen", "args": "false"}, {"class": "builtins:breakpoint"},
    {"class": "sklearn.preprocessing:FunctionTransformer", "func": "os:abort"},
]  # fmt: skip
SAID = (ValueError, TypeError, LookupError, ArithmeticError, AttributeError, MemoryError)


@pytest.fixture
def two(whole, session, RE, docs, tmp_path):  # noqa: N803
    """The documents of a run, as its journal has them, and those of one that resumes it."""
    path = cut(whole, after_pixels(whole, 13), tmp_path / "killed.jsonl")
    RE(session().map(NUM, resume_from=path))
    return list(read_journal(path)), copy.deepcopy(docs.all)


def places(value, before=()):
    """Every key and index inside a document."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value[:3]) if isinstance(value, list) else ()
    for key, inner in pairs:
        yield (*before, key)
        yield from places(inner, (*before, key))


def harmed(documents, dice):
    """The same documents, one of which has something in one place that it should not have; mostly the first."""
    documents = copy.deepcopy(documents)
    document = documents[dice.choice([0, dice.randrange(len(documents))])][1]
    *way, key = dice.choice([place for place in places(document) if len(place) > 1 or place[0] != "gp"])
    for step in way:
        document = document[step]
    document[key] = dice.choice(HARMFUL)
    return documents


@pytest.mark.parametrize("seed", range(3))
def test_whatever_stands_in_a_document_is_an_error_and_costs_no_memory(two, session, seed):
    dice = random.Random(seed)  # noqa: S311
    bench = session()
    mine, known = bench.agent.metadata(), bench.optimizer.state
    tracemalloc.start()
    for _ in range(8):
        documents = harmed(dice.choice(two), dice)
        for read in (RunRecord.from_documents, replay, lambda run: resume(Run(run), bench.optimizer, mine, NUM + 1)):
            try:
                read(documents)
            except SAID as error:
                assert read != RunRecord.from_documents or isinstance(error, ValueError)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 200 * 2**20 and bench.optimizer.state is known


def written(documents, path):
    path.write_bytes(HEADER + b"".join(encode(name, doc) for name, doc in documents))
    return str(path)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("grid", {"shape": [10**6, 10**6]}, "1000000 x 1000000 pixels are 1e+12, of which a single map takes 7.28 TiB"),
        ("batch_size", [1], "the run's settings cannot be made again: "),
        ("axes", 0, "the run's start document cannot be read: TypeError: "),
        ("kernel", {"class": "os:abort"}, "the run's kernel cannot be made again: "),
        ("resumed_from", {"uid": "x"}, "what the run inherited is damaged in its start document"),
    ],
)
def test_the_command_says_in_one_line_what_is_wrong(whole, tmp_path, key, value, message):
    (name, start), *rest = whole
    gp = {**start["gp"], "default_kernel": False, key: value}
    path = written([(name, {**start, "gp": gp}), *rest], tmp_path / "a.jsonl")
    answer = CliRunner().invoke(cli, ["replay", path])
    assert answer.exit_code == 2 and message in answer.output and "Traceback" not in answer.output
