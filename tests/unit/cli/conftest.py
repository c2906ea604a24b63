"""What the tests of all commands share."""

import sys

import pytest

from bluesky_gp.cli import main


@pytest.fixture
def command(monkeypatch, tmp_path, capsys):
    """Run ``bluesky-gp`` in an empty folder; returns exit code, what it printed, and its errors."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["bluesky-gp", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return ended.value.code or 0, printed.out, printed.err

    return run
