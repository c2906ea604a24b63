"""``bluesky-gp catalog serve``: what is refused before anything is served, and what is said where it is."""

import socket

import pytest

from bluesky_gp.cli.serve import _message


def test_a_database_of_another_kind_is_refused(command, tmp_path):
    code, _, err = command("catalog", "serve", tmp_path / "data", "--database", "mysql://host/name")
    assert code == 2 and "--database must begin with postgresql://" in err
    assert not (tmp_path / "data").exists()


def test_a_port_that_is_taken_is_one_line(command, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, _, err = command("catalog", "serve", tmp_path / "data", "--port", taken.getsockname()[1])
    assert code == 2 and "in use" in err


def test_a_damaged_key_is_one_line(command, tmp_path):
    (tmp_path / "api_key").write_text("short")
    (tmp_path / "api_key").chmod(0o600)
    code, _, err = command("catalog", "serve", tmp_path)
    assert code == 2 and "holds no key of 32 letters and digits" in " ".join(err.split())


@pytest.mark.parametrize(("host", "warned"), [("127.0.0.1", False), ("localhost", False), ("::1", False), ("::", True)])
def test_beyond_this_machine_the_danger_is_said(host, warned, tmp_path):
    said = _message(tmp_path, tmp_path / "api_key", host, 8000)
    assert ("travel unencrypted" in said) == warned
    assert ("http://[::1]:8000" in said) == (host == "::1")
