"""docs/architecture.md says what is there: each path exists, each room is in the table."""

import re
from pathlib import Path

import pytest
from test_architecture import ARROWS, GROUND

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text()
PATHS = sorted(set(re.findall(r"`((?:bluesky_gp|devices|plans|tests)/[\w./]+)`", PAGE)))


@pytest.mark.parametrize("path", PATHS)
def test_a_path_of_the_page_exists(path):
    assert (ROOT / path).exists()


@pytest.mark.parametrize("room", [*ARROWS, *GROUND.split()])
def test_a_room_is_in_the_table(room):
    table = PAGE.split("## Rooms")[1].split("## ")[0]
    assert f"`{room}`" in table


def test_the_map_of_changes_names_two_files_at_most_for_most_changes():
    rows = [row for row in PAGE.split("## I want to change")[1].splitlines() if row.startswith("| ") and "`" in row]
    assert len(rows) >= 25
    assert sum(len(re.findall(r"`[\w/.]+\.py`", row.split("|")[2])) <= 2 for row in rows) >= len(rows) - 1
