"""The command that shows the page."""

import socket


def test_a_place_without_a_catalog_is_said(command, tmp_path):
    code, out, err = command("view", tmp_path / "nothing")
    assert (code, out) == (2, "")
    assert f"there is no catalog in {tmp_path / 'nothing'}; give its folder, URL or Tiled profile" in err


def test_a_port_that_is_taken_is_said(command, tmp_path):
    (tmp_path / "journal").mkdir()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, _, err = command("view", tmp_path, "--port", taken.getsockname()[1])
    assert code == 2 and "use" in err
