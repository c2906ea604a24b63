"""Records that earlier versions made, of every kind: they are read, replayed and resumed.

Each folder holds what one version wrote, by the `make_records.py` of its day. Numbers come out the same to the last
bit where Python, numpy, scipy, scikit-learn and the linear algebra underneath are those of the record; elsewhere but
for rounding.
"""

import gzip
import json
import platform
import shutil
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
from bluesky import RunEngine
from click.testing import CliRunner
from threadpoolctl import threadpool_info

from bluesky_gp import GPAgent, PixelOptimizer
from bluesky_gp.cli import cli
from bluesky_gp.devices import PixelStage, SimulatedSpectrometer, SyntheticFerroelectric
from bluesky_gp.plans import adaptive_map
from bluesky_gp.recording import documents_of, open_catalog
from bluesky_gp.replay import replay
from bluesky_gp.run import RunRecord

HERE = Path(__file__).parent
RECORDS = sorted(HERE.glob("*/*.jsonl.gz"))
NAMES = [f"{path.parent.name}-{path.name.removesuffix('.jsonl.gz')}" for path in RECORDS]
COMPUTING = ("python", "numpy", "scipy", "scikit-learn", "blas")


@pytest.fixture
def journal(tmp_path):
    """Unpacks a record, as a session of its day left it."""

    def unpacked(packed):
        path = tmp_path / packed.name.removesuffix(".gz")
        path.write_bytes(gzip.decompress(packed.read_bytes()))
        return path

    return unpacked


def same_arithmetic(folder):
    """Whether what computes is what computed the record."""
    made = json.loads((folder / "made_with.json").read_text())
    blas = sorted({f"{found['internal_api']} {found.get('architecture', '')}" for found in threadpool_info()})
    here = {"python": platform.python_version(), "blas": blas}
    return all(made[name] == (here[name] if name in here else version(name)) for name in COMPUTING)


@pytest.mark.parametrize("packed", RECORDS, ids=NAMES)
def test_the_record_of_an_earlier_version_replays(packed, journal):
    result = replay(documents_of(journal(packed)))
    assert result.n_iterations >= 2
    assert result.identical if same_arithmetic(packed.parent) else result.repeats, str(result.difference)


@pytest.mark.parametrize("folder", sorted({path.parent for path in RECORDS}), ids=lambda folder: folder.name)
def test_the_run_of_a_killed_session_of_an_earlier_version_is_resumed_as_that_version_resumed_it(folder, journal):
    earlier = RunRecord.from_documents(documents_of(journal(folder / "resumed.jsonl.gz")))
    RE, documents = RunEngine({}, context_managers=[]), []  # noqa: N806
    stage = PixelStage(grid=earlier.grid, name="stage")
    sample = SyntheticFerroelectric(shape=earlier.grid.shape, seed=3, n_channels=32)
    detector = SimulatedSpectrometer(sample, stage, scalarizers=["loop_area", "coercive_voltage"], name="det")
    agent = GPAgent(PixelOptimizer(earlier.grid, "loop_area", batch_size=5, n_initial=5), target="det_loop_area")
    RE(
        adaptive_map([detector], stage, agent, num=23, resume_from=journal(folder / "killed.jsonl.gz")),
        lambda name, doc: documents.append((name, doc)),
    )
    today = RunRecord.from_documents(documents)
    assert today.inherited.steps == earlier.inherited.steps
    assert [outcome.pixel for outcome in today.outcomes] == [outcome.pixel for outcome in earlier.outcomes]
    rounding = 0.0 if same_arithmetic(folder) else 1e-12
    np.testing.assert_allclose(
        [outcome.value for outcome in today.outcomes], [outcome.value for outcome in earlier.outcomes], rtol=rounding
    )
    np.testing.assert_array_equal(today.iterations["proposed"], earlier.iterations["proposed"])


@pytest.mark.parametrize("folder", sorted({path.parent for path in RECORDS}), ids=lambda folder: folder.name)
def test_the_catalog_of_an_earlier_version_is_opened_and_its_run_shown_and_exported(folder, tmp_path):
    shutil.unpack_archive(folder / "catalog.zip", tmp_path / "catalog")
    with open_catalog(tmp_path / "catalog") as catalog:
        run = catalog[-1]
        assert run.primary.read()["det_spectrum"].shape == (17, 32)
        assert replay(documents_of(run)).n_iterations == 5
    for words in (["show", "last"], ["export", "last", str(tmp_path / "map.nc")], ["replay", "last"]):
        result = CliRunner().invoke(cli, [*words, "--catalog", str(tmp_path / "catalog")])
        assert result.exit_code == 0, result.output
