"""Who follows a tutorial from top to bottom sees what it says."""

from pathlib import Path

import pytest
from markdown_page import Reader, blocks

ROOT = Path(__file__).parents[2]
TUTORIALS = sorted((ROOT / "docs" / "tutorials").glob("[!i]*.md"))


@pytest.fixture
def reader(tmp_path, monkeypatch):
    """A reader in a folder where the examples of the clone are, and what the clone tells pytest."""
    for name in ("examples", "pyproject.toml"):
        (tmp_path / name).symlink_to(ROOT / name)
    monkeypatch.chdir(tmp_path)
    reader = Reader(tmp_path)
    yield reader
    reader.close()


@pytest.mark.slow
@pytest.mark.parametrize("page", TUTORIALS, ids=lambda page: page.stem)
def test_a_tutorial_prints_what_it_says(page, reader):
    reader.follow(page)


def test_the_first_tutorial_installs_as_continuous_integration_does():
    script = (ROOT / ".ci" / "run").read_text()
    install = next(block for block in blocks(ROOT / "docs" / "tutorials" / "first-run.md") if block.language == "sh")
    create, activate, pip = install.text.splitlines()
    assert activate == ". .venv/bin/activate"
    assert create in script and f".venv/bin/{pip.replace('pip install', 'pip install --quiet')}" in script
