"""A Tiled server with keys that differ in what they may do, from the configuration in examples/tiled."""

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import bluesky.plans as bp
import httpx
import numpy as np
import pytest
import yaml
from facility.postgresql import answers, program
from facility.queue_server import wait_for
from readings import Given

from bluesky_gp.cli.channel_access import free_ports
from bluesky_gp.cli.loopback import is_loopback
from bluesky_gp.recording import JournalError, copy_runs, open_catalog

EXAMPLE = Path(__file__).parents[2] / "examples" / "tiled"
READ, WRITE = ["read:metadata", "read:data"], ["create:node", "delete:node", "write:metadata", "write:data"]


@pytest.fixture(scope="module")
def url(cluster, tmp_path_factory):
    """The address of the server that the example's configuration starts."""
    folder, (port,) = tmp_path_factory.mktemp("tiled"), free_ports(1)
    environment = {
        "ADMIN_PASSWORD": "a word", "TILED_SECRET": "0123456789abcdef", "TILED_FOLDER": str(folder),
        "RUNS_DATABASE": cluster.new().partition("://")[2],
    }  # fmt: skip
    command = [sys.executable, "-c", "from tiled.commandline.main import main; main()", "serve", "config"]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [*command, str(EXAMPLE / "config.yml"), "--port", str(port)],
            env=os.environ | environment, stdout=log, stderr=log,
        )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for(lambda: answers(address) or server.poll() is not None, timeout=300.0, what="the server")
        assert server.poll() is None, (folder / "log").read_text()
        yield address
    finally:
        server.terminate()
        server.wait(60)


@pytest.fixture(scope="module")
def new_key(url):
    """Make a key with these scopes, as the administrator does."""
    login = {"username": "admin", "password": "a word", "grant_type": "password"}
    answer = httpx.post(f"{url}/api/v1/auth/provider/facility/token", data=login, timeout=60)
    bearer = {"Authorization": f"Bearer {answer.raise_for_status().json()['access_token']}"}

    def make(scopes):
        service = httpx.post(f"{url}/api/v1/auth/principal?role=user", headers=bearer, timeout=60).json()
        address = f"{url}/api/v1/auth/principal/{service['uuid']}/apikey"
        asked = {"scopes": scopes, "expires_in": None, "note": "test"}
        return httpx.post(address, headers=bearer, json=asked, timeout=60).raise_for_status().json()["secret"]

    return make


@pytest.fixture(scope="module")
def keys(new_key):
    return {"writer": new_key(READ + WRITE), "reader": new_key(READ)}


def detector():
    return Given([np.arange(4.0), np.ones(4)], shape=[4])


@pytest.mark.slow
def test_a_key_to_read_reads_what_a_key_to_write_has_recorded_and_refuses_a_run_before_it_begins(
    url, keys, tmp_path, RE, docs
):  # fmt: skip
    with open_catalog(url, api_key=keys["writer"], journal=tmp_path / "journal") as catalog:
        token = RE.subscribe(catalog.writer)
        (uid,) = RE(bp.count([detector()], 2))
        assert np.array_equal(catalog[uid].primary.read()["det"], [np.arange(4.0), np.ones(4)])
        RE.unsubscribe(token)
    with open_catalog(url, api_key=keys["reader"], journal=tmp_path / "other") as catalog:
        assert repr(catalog).endswith("1 run, read-only>")
        assert [name for name, _ in catalog[uid].documents()] == ["start", "descriptor", "event", "event", "stop"]
        RE.subscribe(catalog.writer)
        with pytest.raises(JournalError, match=f"Nothing can be recorded in {url}/?: the key lacks create:node, del"):
            RE(bp.count([detector()]))
    assert len(docs.of("event")) == 2


@pytest.mark.slow
def test_a_profile_is_written_to_read_and_copied(url, keys, tmp_path, RE, monkeypatch):
    profiles = tmp_path / "profiles"
    profiles.mkdir()
    (profiles / "mine.yml").write_text(json.dumps({"beamline": {"uri": url}}))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tiled.profiles.paths", [profiles])  # the environment was read when Tiled was imported
    with (
        open_catalog("beamline", api_key=keys["writer"], journal=tmp_path / "journal") as catalog,
        open_catalog(tmp_path / "copy") as copy,
    ):
        assert not (tmp_path / "beamline").exists()  # a folder of that name would be a catalog too
        RE.subscribe(catalog.writer)
        (uid,) = RE(bp.count([detector()], 2))
        assert catalog[uid[:8]].stop["exit_status"] == "success"
        assert catalog.journal(uid).parent == tmp_path / "journal"
        assert {run.fate for run in copy_runs(catalog, copy)} == {"copied"}
        assert copy[uid].primary.read()["det"].shape == (2, 4)


@pytest.fixture
def services():
    return yaml.safe_load((EXAMPLE / "compose.yaml").read_text())["services"]


def test_the_compose_file_gives_the_server_all_that_its_configuration_asks_for(services):
    tiled, database = services["tiled"], services["database"]["environment"]
    asked = {part.partition("}")[0] for part in (EXAMPLE / "config.yml").read_text().split("${")[1:]}
    assert asked == set(tiled["environment"])
    mounted = dict(volume.split(":")[:2] for volume in tiled["volumes"])
    assert mounted == {"./config.yml": tiled["command"].split()[3], "data": tiled["environment"]["TILED_FOLDER"]}
    address = "{POSTGRES_USER}:{POSTGRES_PASSWORD}@database/{POSTGRES_DB}".format(**database)
    assert tiled["environment"]["RUNS_DATABASE"] == address
    (extra,) = re.findall(r"/source\[(\w+)\]", tiled["build"]["dockerfile_inline"])
    assert (
        extra in tomllib.loads((EXAMPLE.parents[1] / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    )


def test_the_compose_file_opens_one_port_to_this_machine_alone(services):
    (port,) = services["tiled"]["ports"]
    host, outside, inside = port.split(":")
    assert is_loopback(host)
    assert inside == services["tiled"]["command"].split()[-1] == outside
    assert "ports" not in services["database"]


@pytest.mark.slow
def test_a_database_that_is_there_passes_the_health_check_of_the_compose_file(services, cluster):
    _, check = services["database"]["healthcheck"]["test"]
    name, *options = check.split()
    assert subprocess.run([program(name), *options, "-p", str(cluster.port)], check=False).returncode == 0
