"""The application: whom it answers, and what."""

import json
import re

import numpy as np
import pytest
from view_runs import KINDS

from bluesky_gp.view.app import PAGE


def frame(body):
    head, _, rest = body.partition(b"\n")
    head = json.loads(head)
    size = len(rest) // len(head["maps"])
    return head, {
        each["name"]: np.frombuffer(rest[i * size : (i + 1) * size], np.uint8) for i, each in enumerate(head["maps"])
    }


def test_the_page_and_its_files_need_no_token(client):
    page = client.get("/", headers={"Authorization": ""})
    assert page.status_code == 200 and "main.js" in page.text
    for path in PAGE.iterdir():
        assert client.get(f"/{path.name}", headers={"Authorization": ""}).status_code == 200


@pytest.mark.parametrize("header", ["", "Bearer ", "Bearer another", "Basic a-token", "Bearer \xe4"])
def test_without_the_token_of_this_start_nothing_is_answered_but_what_to_do(client, header):
    refused = client.get("/api/runs", headers={"Authorization": header.encode("latin-1")})
    assert refused.status_code == 401
    assert "open the address that 'bluesky-gp view' printed last" in refused.json()["error"]


def test_a_page_of_another_site_is_not_answered(client):
    assert client.get("/api/runs", headers={"Host": "evil.example"}).status_code == 400


def test_the_browser_is_told_to_load_nothing_from_elsewhere_and_the_page_asks_for_nothing(client):
    assert "default-src 'self'" in client.get("/").headers["content-security-policy"]
    for path in PAGE.iterdir():
        addresses = set(re.findall(r"https?://[^\s\"')]+", path.read_text()))
        assert addresses <= {"http://www.w3.org/2000/svg"}, path.name  # a name, not an address that is asked


def test_no_file_outside_the_page_is_served(client):
    for path in ("/../app.py", "/%2e%2e/app.py", "/..%2fapp.py"):
        assert client.get(path).status_code in (400, 404)


def test_the_list_has_every_run_and_how_it_ended(client, kinds):
    listed = client.get("/api/runs").json()
    assert {run["uid"] for run in listed["runs"]} == set(kinds[1].values())
    assert all(run["steered"] and not run["goes_on"] for run in listed["runs"])


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_of_every_kind_has_its_course_its_maps_and_reasons(client, kinds, kind):
    uid = kinds[1][kind]
    course = client.get(f"/api/runs/{uid}").json()
    assert len(course["pixels"]["index"]) == len(course["pixels"]["value"])
    for number in range(len(course["decisions"])):
        head, maps = frame(client.get(f"/api/runs/{uid}/decisions/{number}/maps").content)
        assert head["decision"] == number
        assert {len(levels) for levels in maps.values()} == {np.prod(course["grid"]["shape"])}
        why = client.get(f"/api/runs/{uid}/decisions/{number}/pixels/3").json()
        assert why["pixel"] is not None


def test_a_course_that_is_known_is_not_sent_again(client, kinds):
    uid = kinds[1]["usual"]
    version = client.get(f"/api/runs/{uid}").json()["version"]
    assert client.get(f"/api/runs/{uid}?known={version}").json() == {"version": version}


@pytest.mark.parametrize(
    ("path", "status", "sentence"),
    [
        ("/api/runs/0123", 404, "there is no run 0123"),
        ("/api/runs/{usual}/decisions/99/maps", 400, "none of number 99"),
        ("/api/runs/{usual}/decisions/1/pixels/5000", 400, "pixel 5000 is outside the grid of 72 pixels"),
        ("/api/runs/{empty}/decisions/0/maps", 400, "has 0 decisions"),
        ("/api/nothing", 404, "Not Found"),
    ],
)
def test_what_is_not_there_is_said_in_a_sentence(client, kinds, path, status, sentence):
    refused = client.get(path.format(**{kind: uid for kind, uid in kinds[1].items() if " " not in kind}))
    assert refused.status_code == status
    assert sentence in refused.json()["error"]


def test_the_figure_and_the_data_are_those_of_the_decision(client, kinds):
    base = f"/api/runs/{kinds[1]['usual']}/decisions/4/files"
    assert client.get(f"{base}/figure.png").content.startswith(b"\x89PNG")
    assert b"<svg" in client.get(f"{base}/figure.svg").content
    rows = client.get(f"{base}/pixels.csv").text.splitlines()
    assert rows[0] == "row,col,row_um,col_um,spectrometer_loop_area,failed" and len(rows) == 21
    assert client.get(f"{base}/data.nc").content.startswith((b"CDF", b"\x89HDF"))
    assert "there is no figure.doc" in client.get(f"{base}/figure.doc").json()["error"]


def test_a_figure_of_one_axis_is_refused_in_a_sentence(client, kinds):
    refused = client.get(f"/api/runs/{kinds[1]['one axis']}/decisions/3/files/figure.png")
    assert refused.status_code == 400 and "a figure needs two axes" in refused.json()["error"]


def test_whether_a_record_holds_is_told_clause_by_clause(client, kinds):
    clauses = client.post(f"/api/runs/{kinds[1]['usual']}/verify", json={}).json()
    assert all(clause["holds"] for clause in clauses)
    assert any("come out the same when they are made again, bit for bit" in clause["sentence"] for clause in clauses)


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_of_every_kind_has_a_bill_of_health_and_another_choice(client, kinds, kind):
    uid = kinds[1][kind]
    for number in range(len(client.get(f"/api/runs/{uid}").json()["decisions"])):
        base = f"/api/runs/{uid}/decisions/{number}"
        assert len(client.get(f"{base}/health").json()) == 6
        assert client.post(f"{base}/instead", json={"acquisition": "ucb"}).status_code == 200
        assert client.post(f"{base}/target", json={"kind": "area"}).status_code == 200


def test_a_question_that_is_no_mapping_is_refused(client, kinds):
    refused = client.post(f"/api/runs/{kinds[1]['usual']}/decisions/4/instead", content=b"[1]")
    assert (refused.status_code, "is a mapping" in refused.json()["error"]) == (400, True)
    assert client.post(f"/api/runs/{kinds[1]['usual']}/decisions/4/instead", content=b"{").status_code == 400
