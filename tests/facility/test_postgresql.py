"""A facility's catalog: a Tiled server on a real PostgreSQL, for the catalog and its tables."""

import asyncio

import bluesky.plan_stubs as bps
import numpy as np
import pytest
from bluesky.preprocessors import run_decorator
from facility.postgresql import PASSWORD, execute
from tiled.queries import Eq
from tiled.structures.core import Spec

from bluesky_gp.recording import open_catalog
from bluesky_gp.recording.databases import prepare_postgresql

pytestmark = pytest.mark.slow

N_CHANNELS = 16


def spectrum(number):
    return np.sin(np.arange(N_CHANNELS) * number)


class Detector:
    name, parent = "det", None

    number = 0

    def read(self):
        values = {
            "det_area": self.number / 4,
            "det_label": f"pixel {self.number}",
            "det_spectrum": spectrum(self.number),
        }
        return {key: {"value": value, "timestamp": 1.0} for key, value in values.items()}

    def describe(self):
        return {
            "det_area": {"source": "test", "dtype": "number", "dtype_numpy": "<f8", "shape": []},
            "det_label": {"source": "test", "dtype": "string", "shape": []},
            "det_spectrum": {"source": "test", "dtype": "array", "dtype_numpy": "<f8", "shape": [N_CHANNELS]},
        }

    def read_configuration(self):
        return {}

    def describe_configuration(self):
        return {}


def test_a_run_goes_to_postgresql_and_comes_back_while_it_goes_on_and_after(served, tmp_path, RE):  # noqa: N803
    detector, seen = Detector(), []

    @run_decorator(md={"purpose": "test"})
    def run():
        for detector.number in range(6):
            yield from bps.trigger_and_read([detector])
            catalog.flush(60)
            seen.append(len(catalog[-1].primary.read().time))

    with open_catalog(served.url, api_key=served.key, journal=tmp_path / "journal") as catalog:
        RE.subscribe(catalog.writer)
        (uid,) = RE(run())
        primary = catalog[uid].primary.read()
        assert seen == [1, 2, 3, 4, 5, 6]
        assert catalog[uid].stop["exit_status"] == "success"
        assert np.array_equal(primary["det_area"], np.arange(6) / 4)
        assert primary["det_label"].values.tolist() == [f"pixel {number}" for number in range(6)]
        assert np.array_equal(primary["det_spectrum"], [spectrum(number) for number in range(6)])
        assert [name for name, _ in catalog[uid].documents()].count("event") == 6


def test_a_search_that_finds_hundreds_of_runs_has_their_number_and_sorts_all_of_them(served, tmp_path):
    with open_catalog(served.url, api_key=served.key, journal=tmp_path / "journal") as catalog:
        runs = catalog.create_container("hundreds", specs=[Spec("CatalogOfBlueskyRuns", "3.0")])
        for number in range(205):
            runs.create_container(f"run{number}", metadata={"start": {"time": -number, "plan_name": "count"}})
        asyncio.run(execute(served.database, "analyze nodes"))  # as PostgreSQL does itself: it estimates from now on
        found = runs.search(Eq("start.plan_name", "count"))
        assert len(list(found)) == len(found) == 205
        assert list(found.sort(("start.time", 1))) == list(reversed(list(found)))
        catalog.delete_contents("hundreds", recursive=True)


def test_a_database_in_which_an_administrator_has_made_the_extension_is_used(database):
    asyncio.run(execute(database, "create extension btree_gin"))
    for _ in range(2):
        prepare_postgresql(database)
    (revision,) = asyncio.run(execute(database, "select version_num from alembic_version"))
    assert revision["version_num"]


def test_a_wrong_password_is_a_sentence_without_it(database):
    with pytest.raises(ValueError, match=r"No catalog can be kept in the database 127.0.0.1:\d+/runs_\w+: ") as raised:
        prepare_postgresql(database.replace(PASSWORD, "another"))
    assert "another" not in str(raised.value)
