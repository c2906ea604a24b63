"""docs/faults.md says what is answered: each quoted sentence stands in the code, each test that it names exists."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TABLES = (ROOT / "docs" / "faults.md").read_text().split("## What was tried")[1]
ROWS = [row.strip("| ").split(" | ") for row in TABLES.splitlines() if row.startswith("| ")]
ROWS = [row for row in ROWS if row[0] != "tried" and not row[0].startswith("---")]
SENTENCES = [quoted for row in ROWS for quoted in re.findall("`([^`]+)`", row[1]) if quoted.count(" ") > 3]
N_WORDS = 4  # in a row that a sentence shares with the code: the rest are names and numbers of the case


def texts(path):
    """Yield the strings of a file, with a mark where an f-string has a field."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "\0" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


CODE = "\n".join(
    text for top in ("bluesky_gp", "devices", "plans") for path in ROOT.glob(f"{top}/**/*.py") for text in texts(path)
)


@pytest.mark.parametrize("sentence", SENTENCES)
def test_a_sentence_that_the_page_quotes_is_one_of_the_code(sentence):
    words = sentence.split(" ")
    runs = [" ".join(words[i : i + N_WORDS]) for i in range(len(words) - N_WORDS + 1)]
    assert any(run in CODE for run in runs)


def test_every_row_names_a_test_that_exists():
    for what, _, tests in ROWS:
        paths = re.findall("`(tests/[^`]+)`", tests)
        assert paths and all((ROOT / path).is_file() for path in paths), what
