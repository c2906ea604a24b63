"""The profile of examples/profile_adaptive, as IPython runs it: its startup files in one namespace."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

STARTUP = Path(__file__).parents[2] / "examples" / "profile_adaptive" / "startup"
SESSION = """
import sys, json
from pathlib import Path
names = {}
for file in sorted(Path(sys.argv[1]).glob("*.py")):
    exec(compile(file.read_text(), file, "exec"), names)
exec(sys.argv[2], names)
names["catalog"].close()
"""


@pytest.fixture
def session(tmp_path):
    """Run lines in a session of its own, of one user; returns what the last line printed."""
    places = {"BLUESKY_GP_CATALOG": str(tmp_path / "data"), "XDG_DATA_HOME": str(tmp_path / "user")}

    def run(lines, **environment):
        done = subprocess.run(
            [sys.executable, "-c", SESSION, str(STARTUP), lines],
            env=os.environ | places | environment, capture_output=True, text=True, timeout=120, cwd=tmp_path,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()[-1]

    return run


@pytest.mark.slow
def test_scan_ids_go_on_counting_in_the_next_session_so_that_a_number_means_one_run(session):
    run = "import json\nfor _ in range(2): [uid] = RE(bp.count([spectrometer]))\nprint(json.dumps(RE.md['scan_id']))"
    assert [json.loads(session(run)) for _ in range(3)] == [2, 4, 6]
    uids = "import json\nprint(json.dumps([catalog[n].start['uid'] for n in range(1, 7)]))"
    assert len(set(json.loads(session(uids)))) == 6


@pytest.mark.slow
def test_metadata_of_the_session_is_kept_as_well_and_each_folder_has_its_own(session, tmp_path):
    session("RE.md['sample'] = {'name': 'film 7'}\nRE(bp.count([spectrometer]))")
    read = "import json\nprint(json.dumps([RE.md.get('sample'), RE.md.get('scan_id', 0)]))"
    assert json.loads(session(read)) == [{"name": "film 7"}, 1]
    assert json.loads(session(read, BLUESKY_GP_METADATA=str(tmp_path / "other" / "metadata"))) == [None, 0]
