"""Kill, resume and replay, round after round: what is lost? Nothing, or the script says what and exits with 1.

    python benchmarks/rounds.py 100

In each round a process maps 100 pixels of a simulated sample (seed fixed, noise off) and is killed with SIGKILL at a
random moment: between two documents, or up to 30 ms later, while it measures, computes or writes. A second process
resumes the run from the journal that is left; in every third round it is killed as well and a third one resumes. Then

- the journal must hold every document that a process had been told was written,
- the pixels of all parts together must be those of a run that was never killed: the same order, the same values,
- every part must replay bit for bit.

Times are printed for orientation.
"""

import argparse
import contextlib
import json
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from bluesky_gp.recording import Journal, read_journal
from bluesky_gp.replay import replay
from bluesky_gp.run import RunRecord

NUM, SHAPE, SEED = 100, (16, 16), 3


def session(journal: str, resume_from: str, told: Connection) -> None:
    """Map in this process; tell how many documents are written after each."""
    from bluesky import RunEngine

    from bluesky_gp import GPAgent, PixelGrid, PixelOptimizer
    from bluesky_gp.devices import PixelStage, SimulatedSpectrometer, SyntheticFerroelectric
    from bluesky_gp.plans import adaptive_map

    grid = PixelGrid(SHAPE)
    stage = PixelStage(grid=grid, name="stage")
    sample = SyntheticFerroelectric(shape=SHAPE, seed=SEED, noise=0.0)
    spectrometer = SimulatedSpectrometer(sample, stage, scalarizers=["loop_area"], name="spectrometer")
    agent = GPAgent(PixelOptimizer(grid, "loop_area", seed=SEED), target="spectrometer_loop_area")
    file, count = Journal(Path(journal)), 0

    def write(name: str, doc: Any) -> None:
        nonlocal count
        file.append(name, doc)
        count += 1
        told.send(count)

    engine = RunEngine({}, context_managers=[])
    engine.subscribe(write)
    engine(adaptive_map([spectrometer], stage, agent, num=NUM, resume_from=resume_from or None))


@dataclass
class Part:
    """What is left of one process."""

    journal: Path
    told: int  # documents that it said were written
    killed: bool
    seconds: float


class Rounds:
    """Runs sessions in processes of their own, forked from one that has imported everything."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        self.random = random.Random(seed)  # noqa: S311 - moments, no secrets
        self.processes = multiprocessing.get_context("forkserver")
        imports = [
            "bluesky",
            "ophyd",
            "bluesky_gp.agent.agent",
            "bluesky_gp.optimizer.pixel_optimizer",
            "bluesky_gp.plans",
            "bluesky_gp.devices",
            "ophyd_async.core",
            "sklearn.gaussian_process.kernels",
        ]
        self.processes.set_forkserver_preload(
            [*imports, "bluesky_gp.devices.sim.samples", "bluesky_gp.recording.journal"]
        )

    def part(self, name: str, resume_from: Path | None = None, kill_after: int | None = None) -> Part:
        """Map in a process of its own; kill it after so many documents, and up to 30 ms more."""
        ours, theirs = self.processes.Pipe(duplex=False)
        journal = self.folder / f"{name}.jsonl"
        process = self.processes.Process(target=session, args=(str(journal), str(resume_from or ""), theirs))
        began = time.perf_counter()
        process.start()
        theirs.close()
        told = 0
        for told in _messages(ours):
            if told == kill_after:
                time.sleep(self.random.choice([0.0, self.random.uniform(0.0, 0.03)]))
                with contextlib.suppress(ProcessLookupError):  # it has come to its end meanwhile
                    os.kill(process.pid or 0, signal.SIGKILL)
        process.join()
        if process.exitcode not in (0, -signal.SIGKILL):
            raise AssertionError(f"{name}: the process ended with {process.exitcode}")
        return Part(journal, told, process.exitcode != 0, time.perf_counter() - began)

    def round(self, number: int, n_documents: int) -> list[Part]:
        """Kill once, in every third round twice, and go on to the end."""
        parts = [self.part(f"{number}-0", kill_after=self.random.randint(1, n_documents))]
        while parts[-1].killed:
            again = number % 3 == 0 and len(parts) == 1
            kill_after = self.random.randint(1, max(1, n_documents - parts[0].told)) if again else None
            parts.append(self.part(f"{number}-{len(parts)}", parts[-1].journal, kill_after))
        return parts


def _messages(connection: Connection) -> Iterator[int]:
    try:
        while True:
            yield connection.recv()
    except EOFError:
        return


def outcomes(parts: list[Part]) -> list[tuple[int, float]]:
    """Pixels and values of all parts, in order."""
    records = [RunRecord.from_documents(read_journal(part.journal)) for part in parts]
    return [(outcome.pixel, outcome.value) for record in records for outcome in record.outcomes]


def check(parts: list[Part], whole: list[tuple[int, float]]) -> list[str]:
    """Say what was lost."""
    lost = []
    for part in parts:
        written = sum(1 for _ in read_journal(part.journal))
        if written < part.told:
            lost.append(f"{part.journal.name}: {part.told} documents were written and {written} are there")
        result = replay(read_journal(part.journal))
        if result.difference is not None:  # a run that was killed before its first decision has none to compare
            lost.append(f"{part.journal.name}: {result.difference}")
    if outcomes(parts) != whole:
        lost.append(f"{parts[0].journal.name}: the pixels are not those of the run that was never killed")
    return lost


def main() -> None:
    """Run rounds and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rounds", type=int, nargs="?", default=20)
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    parser.add_argument("--json", action="store_true", help="print JSON and nothing else")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rounds = Rounds(Path(folder), arguments.seed)
        figures, lost = run(rounds, arguments.rounds, quiet=arguments.json)
    print(json.dumps(figures) if arguments.json else figures)
    sys.exit(1 if lost else 0)


def run(rounds: Rounds, number: int, *, quiet: bool) -> tuple[dict[str, Any], list[str]]:
    """Return the figures and what was lost."""
    began = time.perf_counter()
    first = rounds.part("whole")
    whole = outcomes([first])

    def checked(index: int, parts: list[Part]) -> list[str]:
        found = check(parts, whole)
        if not quiet:
            where = ", ".join(f"{part.told} documents{' killed' if part.killed else ''}" for part in parts)
            print(f"round {index}: {where}; {'; '.join(found) or 'nothing lost'}", flush=True)
        for part in parts:
            part.journal.unlink()
        return found

    kills, parts, checks = 0, 0, []
    with ThreadPoolExecutor(1) as executor:  # one round is checked while the processes of the next one run
        for index in range(number):
            made = rounds.round(index, first.told)
            kills, parts = kills + sum(part.killed for part in made), parts + len(made)
            checks.append(executor.submit(checked, index, made))
    lost = [text for found in checks for text in found.result()]
    seconds = (time.perf_counter() - began) / max(1, number)
    return asdict(Figures(number, kills, parts, len(whole), first.told, len(lost), seconds)), lost


@dataclass
class Figures:
    """What is printed at the end."""

    rounds: int
    kills: int
    runs: int
    pixels: int
    documents: int
    lost: int
    seconds_a_round: float


if __name__ == "__main__":
    main()
