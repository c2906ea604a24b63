"""The profile of examples/profile_adaptive, as IPython runs it: its startup files in one namespace."""

import json
import os
import sys
from pathlib import Path

import pytest
import warm

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
        done = warm.run(
            [sys.executable, "-c", SESSION, str(STARTUP), lines],
            env=os.environ | places | environment, capture_output=True, text=True, timeout=120, cwd=tmp_path,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()[-1]

    return run


@pytest.mark.slow
def test_the_next_session_goes_on_counting_scans_and_keeps_the_metadata(session, tmp_path):
    session("RE.md['sample'] = {'name': 'film 7'}\nfor _ in range(2): RE(bp.count([spectrometer]))")
    told = session(
        "import json\n"
        "for _ in range(2): RE(bp.count([spectrometer]))\n"
        "print(json.dumps([RE.md['sample'], [catalog[n].start['uid'] for n in (1, 2, 3, 4)]]))"
    )
    sample, uids = json.loads(told)
    assert sample == {"name": "film 7"}
    assert len(set(uids)) == 4
    read = "import json\nprint(json.dumps([RE.md.get('sample'), RE.md.get('scan_id', 0)]))"
    assert json.loads(session(read, BLUESKY_GP_METADATA=str(tmp_path / "other" / "metadata"))) == [None, 0]
