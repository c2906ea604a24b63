"""The command that shows the page."""

import socket


def test_a_place_without_a_catalog_is_said(command, tmp_path):
    code, out, err = command("view", tmp_path / "nothing")
    assert (code, out) == (2, "")
    assert f"there is no catalog in {tmp_path / 'nothing'}; give its folder, URL or Tiled profile" in err


def test_the_catalog_may_be_named_by_the_option_that_other_commands_have(command, tmp_path, monkeypatch):
    monkeypatch.setenv("BLUESKY_GP_CATALOG", str(tmp_path / "elsewhere"))
    for given in (["--catalog", tmp_path / "nothing"], [tmp_path / "nothing"]):
        assert f"there is no catalog in {tmp_path / 'nothing'};" in command("view", *given)[2]
    assert f"there is no catalog in {tmp_path / 'elsewhere'};" in command("view")[2]


def test_two_catalogs_are_one_too_many(command, tmp_path):
    code, _, err = command("view", tmp_path / "one", "--catalog", tmp_path / "two")
    assert code == 2 and f"two catalogs are named, {tmp_path / 'one'} and {tmp_path / 'two'}: give one" in " ".join(
        err.split()
    )


def test_a_port_that_is_taken_is_said(command, tmp_path):
    (tmp_path / "journal").mkdir()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, _, err = command("view", tmp_path, "--port", taken.getsockname()[1])
    assert code == 2 and "use" in err
