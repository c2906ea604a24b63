"""A catalog or a run that is not there."""

import pytest


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("show", "123456"), "no run 123456 in the catalog; 'bluesky-gp runs' lists them"),
        (("show", "99"), "no run 99 in the catalog; 'bluesky-gp runs' lists them"),
        (("show", "abc"), "Partial uid 'abc' is too short. It must include at least 5 characters."),
        (("export", "last", "map.csv"), "map.csv: the suffix says what to write, and must be one of .nc, .zarr, .hspy"),
    ],
)
def test_what_is_wrong_is_one_line_and_exit_code_2(on_catalog, arguments, message):
    assert on_catalog(*arguments) == (2, "", f"bluesky-gp {arguments[0]}: {message}\n")


def test_a_folder_without_a_catalog_is_named_and_none_is_made(command, tmp_path):
    code, _, err = command("runs", "--catalog", tmp_path / "nothing")
    assert (code, err) == (
        2,
        f"bluesky-gp runs: there is no catalog in {tmp_path / 'nothing'}; --catalog says where else\n",
    )
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_database_is_one_line(command, tmp_path):
    (tmp_path / "catalog.db").write_text("This is no database.")
    code, _, err = command("runs", "--catalog", tmp_path)
    assert code == 2
    assert "cannot be opened" in err
    assert "file is not a database" in err
    assert err.count("\n") == 1


def test_a_server_that_is_not_there_is_one_line(command):
    code, _, err = command("runs", "--catalog", "http://127.0.0.1:1/")
    assert code == 2
    assert err.count("\n") == 1
    assert "No server answers at http://127.0.0.1:1" in err
