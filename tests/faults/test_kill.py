"""A process that is killed with SIGKILL loses nothing that it had written, and is gone on with."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROUNDS = Path(__file__).parent.parent.parent / "benchmarks" / "rounds.py"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_killed_at_ten_random_moments_a_map_of_100_pixels_loses_nothing_resumes_and_replays():
    command = [sys.executable, str(ROUNDS), "10", "--seed", "1", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=1800)
    assert done.returncode == 0, done.stdout + done.stderr
    figures = json.loads(done.stdout)
    assert figures["lost"] == 0 and figures["rounds"] == 10 and figures["kills"] >= 10 and figures["pixels"] == 100
