"""The README is what users type: its commands are those of CI, its session runs as it stands."""

import re
from pathlib import Path

from bluesky_gp.recording import open_catalog

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


def test_the_two_commands_are_those_that_continuous_integration_runs():
    script = (ROOT / ".ci" / "run").read_text()
    install_and_run, test = (block.strip() for block in blocks(""))
    assert install_and_run.replace("pip install", "pip install --quiet") in script
    assert test.replace("pip install", "pip install --quiet") in script


def test_the_lines_of_the_session_run_as_they_stand(RE, tmp_path):
    (session,) = blocks("python")
    with open_catalog(tmp_path) as catalog:
        RE.subscribe(catalog.writer)
        names = {"RE": RE, "catalog": catalog}
        exec(session.replace("num=410", "num=30"), names)  # noqa: S102
        assert catalog[-1].primary.read().sizes["time"] >= 25
        assert tuple(names["stage"].locate()["readback"]) == names["agent"].optimizer.state.best_pixel


def test_every_file_that_the_readme_points_to_is_there():
    links = re.findall(r"\]\(([^)h][^)]*)\)", README)
    assert links
    assert not [link for link in links if not (ROOT / link).exists()]
