"""Other packages on the same maps, from the same start, with the same budget: their time, points and maps beside ours.

    python benchmarks/peers.py [--quick] [--json FILE] [--docs docs/benchmarks.md]

Every peer gets a virtual environment of its own (in --cache, made once) and a worker in benchmarks/peers/ that runs in
it as a process of one thread; ours runs in this interpreter by the same rules. Time is CPU time (`process_time`), so
what else the machine does matters little. First all are timed with 400 of 50 x 50 pixels measured, then they run:
ten random pixels, then batches of ten. What slow peers are given of points, seeds and kinds of maps is in the table.

--json keeps every answer: jobs whose answer is in the file are not run again, unless --again names their peer (or how
its name begins).
"""

import json
import os
import subprocess
import sys
import tempfile
import venv
from argparse import ArgumentParser
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import numpy as np
import platformdirs
from judging import CHECKPOINTS, Answers, found, quality, top_pixels
from maps import NOISE, NOISY, kinds, make
from tables import machine, plus_minus, table, write_section

HERE = Path(__file__).parent
BATCH = 10
OURS = "bluesky_gp"
ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1"
)


@dataclass(frozen=True)
class Peer:
    """A package, one way of using it, and what it is given: as much as its speed allows."""

    name: str
    worker: str
    variant: str = ""
    environment: str = ""  # "": this interpreter
    clock: int = 0  # iterations timed about 400 points; 0: it has no model
    points: tuple[int, ...] = (410,)  # of a run; a coarse grid has one run for each
    seeds: int = 0  # of each kind
    kinds: int = 99  # the first so many


@dataclass(frozen=True)
class Job:
    """A run of one peer on one map, or the timing of its iterations."""

    peer: str
    kind: str
    seed: int
    points: int
    clock: int = 0

    @property
    def key(self):
        """The key under which its answer is kept."""
        return list(asdict(self).values())


PEERS = (
    Peer(OURS, "ours", clock=8, seeds=10),
    Peer(f"{OURS}, for the map", "ours", "map", clock=8, seeds=10),
    Peer("scikit-learn, believer", "believer", "", "scikit-learn", clock=4, seeds=6),
    Peer("BoTorch, qLogNEI", "monte_carlo", "qLogNEI", "botorch", clock=3, points=(200,), seeds=1),
    Peer("BoTorch, qLogEI", "monte_carlo", "qLogEI", "botorch", clock=3),
    Peer("gpCAM, expected improvement", "candidates", "expected improvement", "gpcam", clock=3, points=(200,), seeds=1),
    Peer("gpCAM, variance", "candidates", "variance", "gpcam", clock=3),
    Peer(
        "gpCAM, total correlation", "candidates", "total correlation", "gpcam", clock=1, points=(50,), seeds=1, kinds=4
    ),
    Peer("GPim, ei", "gpim_batch", "", "gpim", clock=2, points=(100,), seeds=1, kinds=4),
    Peer("scikit-optimize", "liar", "", "scikit-optimize", clock=1, points=(100,), seeds=1, kinds=4),
    Peer("random, cubic", "plain", "random cubic", "scikit-learn", seeds=10),
    Peer("coarse grid, cubic", "plain", "grid cubic", "scikit-learn", points=CHECKPOINTS, seeds=10),
    Peer("coarse grid, biharmonic", "plain", "grid biharmonic", "scikit-learn", points=CHECKPOINTS, seeds=10),
)


# -- environments ------------------------------------------------------------------------------------------------------


def environments(torch):
    """Return what each environment needs, a list of installations one after another.

    GPim 0.3.9 pins a scikit-image that has no wheel for a Python of today; it runs with a newer one, and a numpy
    before 2.
    """
    return {
        "scikit-learn": [["scikit-learn", "scikit-image"]],
        "botorch": [[torch, "botorch"]],
        "gpcam": [["gpcam"]],
        "gpim": [[torch, "numpy<2", "pyro-ppl", "gpytorch", "matplotlib", "scikit-image"], ["--no-deps", "gpim"]],
        "scikit-optimize": [["scikit-optimize"]],
    }


def interpreter(name, steps, folder):
    """Return the interpreter of an environment, made if it is not there; None if it cannot be made."""
    home = folder / name
    python = home / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    made = home / "made.json"
    if made.exists() and json.loads(made.read_text()) == steps:
        return python
    print(f"making the environment of {name} ...", file=sys.stderr, flush=True)
    venv.create(home, with_pip=True, clear=True)
    for step in steps:
        done = subprocess.run([python, "-m", "pip", "install", "--quiet", *step], capture_output=True, text=True)
        if done.returncode:
            print(f"{name} does not install:\n{done.stderr[-2000:]}", file=sys.stderr)
            return None
    made.write_text(json.dumps(steps))
    return python


# -- jobs --------------------------------------------------------------------------------------------------------------


def clock_job(peer):
    """Return the job that times a peer."""
    return Job(peer.name, "smooth", 0, 440, peer.clock)


def jobs_of(peer, quick):
    """Return the runs of a peer."""
    seeds = min(peer.seeds, 1) if quick else peer.seeds
    chosen = kinds()[: 2 if quick else peer.kinds]
    points = [min(n, 100) for n in peer.points][:1] if quick else peer.points
    return [Job(peer.name, kind, seed, n) for kind in chosen for seed in range(seeds) for n in points]


@cache
def sample(kind, seed):
    """Return a map, made once."""
    return make(kind, seed)


def order(peer, job):
    """Return the job as the worker wants it."""
    case = sample(job.kind, job.seed)
    first = case.first(10)
    if job.clock:  # some 400 pixels that are there already, the same for everybody
        others = np.setdiff1d(np.random.default_rng(0).permutation(len(case.values)), first, assume_unique=True)
        first = np.concatenate([first, np.random.default_rng(1).permutation(others)[:500]])
    return {
        "values": case.values.tolist(),
        "shape": case.shape,
        "first": first.tolist(),
        "num": job.points,
        "batch": BATCH,
        "checkpoints": CHECKPOINTS,
        "seed": job.seed,
        "variant": peer.variant,
        "clock": job.clock,
    }


def work(peer, job, python, limit):
    """Run a job in a process of its own; return its answer, or what went wrong."""
    with tempfile.TemporaryDirectory() as folder:
        asked, answered = Path(folder) / "jobs.json", Path(folder) / "answers.json"
        asked.write_text(json.dumps([order(peer, job)]))
        command = [python, HERE / "peers" / f"{peer.worker}.py", asked, answered]
        try:
            done = subprocess.run(
                command, env=os.environ | ONE_THREAD, capture_output=True, text=True, timeout=limit, cwd=folder
            )
        except subprocess.TimeoutExpired:
            return {"error": f"not done in {limit:.0f} s"}
        if done.returncode:
            return {"error": (done.stderr.strip().splitlines() or ["no message"])[-1]}
        return judged(job, json.loads(answered.read_text()))


def judged(job, answer):
    """Reduce an answer to what the tables need."""
    case = sample(job.kind, job.seed)
    kept = {"seconds": answer["seconds"], "repeated": answer["repeated"], "versions": answer["versions"]}
    if job.clock:
        return kept
    top = top_pixels(case)
    return kept | {
        "top": found(answer["measured"], top),
        "maximum": found(answer["measured"], top[:1]),
        "at": {
            nominal(int(n), job): quality(case, np.array(at["pixels"]), np.array(at["mean"], dtype=float))
            for n, at in answer["at"].items()
        },
    }


def nominal(n, job):
    """Return the checkpoint that `n` points stand for; a coarse grid has a few less than it may."""
    return str(n if n in CHECKPOINTS else job.points)


# -- running -----------------------------------------------------------------------------------------------------------


def run_all(peers, pythons, answers, arguments):
    """Run what was not run yet: first the timing, one after another, then the runs."""
    by_name = {peer.name: peer for peer in peers}

    def one(job):
        peer = by_name[job.peer]
        answers.add(job.key, work(peer, job, pythons[peer.environment], arguments.limit))
        print(
            f"{job.peer}, {job.kind}, {job.seed}, {'clock' if job.clock else job.points}", file=sys.stderr, flush=True
        )

    def missing(jobs):
        return [job for job in jobs if answers.of(job.key) is None and pythons[by_name[job.peer].environment]]

    for job in missing(clock_job(peer) for peer in peers if peer.clock):
        one(job)
    runs = missing(job for peer in peers for job in jobs_of(peer, arguments.quick))
    with ThreadPoolExecutor(arguments.jobs) as pool:
        list(pool.map(one, sorted(runs, key=lambda job: job.seed)))


# -- tables ------------------------------------------------------------------------------------------------------------


def runs_of(peer, answers, quick):
    """Return the runs of a peer by kind and seed; those of a coarse grid with each number of points are one."""
    runs = {}
    for job in jobs_of(peer, quick):
        answer = answers.of(job.key)
        if answer is None or "error" in answer:
            continue
        run = runs.setdefault((job.kind, job.seed), {"at": {}})
        at = run["at"] | answer["at"]
        run.update(answer, at=at, points=job.points)
    return runs


def pairs(runs, ours, what):
    """Return `what(theirs, ours)` of every map that both ran on."""
    return np.array([what(runs[key], ours[key]) for key in runs if key in ours])


def more_points(run, ours, target="top"):
    """Return how many points more than ours it took to find `target`, counted up to the points that the peer had."""
    cap = run["points"]
    return min(run[target] or cap, cap) - min(ours[target] or cap, cap)


def to_maximum(run, ours):
    """Return the same for the highest pixel of the true map."""
    return more_points(run, ours, "maximum")


def error_ratio(run, ours):
    """Return the logarithm of the ratio of the maps' errors, at the last checkpoint that both have."""
    last = max(set(run["at"]) & set(ours["at"]), key=int)
    return np.log(run["at"][last]["error"] / ours["at"][last]["error"])


def has_checkpoint(runs):
    """Return the runs whose map is known at one of the checkpoints."""
    return {key: run for key, run in runs.items() if {str(n) for n in CHECKPOINTS} & set(run["at"])}


def seconds_of(peer, answers):
    """Return the mean CPU seconds of an iteration, None without a model or an answer."""
    answer = answers.of(clock_job(peer).key) if peer.clock else None
    return None if answer is None or "error" in answer else float(np.mean(answer["seconds"]))


def times(peers, answers):
    """Return the table of times."""
    ours = seconds_of(peers[0], answers)
    rows = []
    for peer in peers:
        seconds = seconds_of(peer, answers)
        if seconds is not None:
            beside = "" if peer.name == OURS or ours is None else f"{seconds / ours:.0f}"
            rows.append([peer.name, packages(peer, answers), f"{seconds:.3g}", beside])
    return table(["", "versions", "CPU s an iteration", "times ours"], rows)


def packages(peer, answers):
    """Return the versions of a peer's packages, the project's own left out."""
    versions = answers.of(clock_job(peer).key)["versions"]
    return ", ".join(f"{name} {number}" for name, number in versions.items() if name != OURS)


def totals(peers, answers, quick):
    """Return the table over all maps."""
    ours = runs_of(peers[0], answers, quick)
    head = ["", "points x seeds x kinds", "to top 1 %: median (found)", *(f"regret at {n}, %" for n in CHECKPOINTS)]
    head += [*(f"error at {n}, %" for n in CHECKPOINTS), "CPU s a run", "points beside ours", "error beside ours, %"]
    rows = [total(peer, runs_of(peer, answers, quick), ours) for peer in peers]
    return table(head, [row for row in rows if row])


def total(peer, runs, ours):
    """Return a peer's row over all maps, None without runs."""
    if not runs:
        return None
    points = max(run["points"] for run in runs.values())
    tops = [run["top"] for run in runs.values()]
    median = np.median([points if top is None else top for top in tops])
    n_seeds, n_kinds = (len({key[i] for key in runs}) for i in (1, 0))
    row = [
        peer.name,
        f"{points} x {n_seeds} x {n_kinds}",
        f"{median:.0f} ({sum(t is not None for t in tops)}/{len(tops)})",
    ]
    row += [at_checkpoint(runs, n, measure) for measure in ("regret", "error") for n in CHECKPOINTS]
    row.append(f"{np.mean([sum(run['seconds']) for run in runs.values()]):.3g}" if peer.clock else "")
    return row + (["", ""] if peer.name == OURS else beside(runs, ours))


def beside(runs, ours):
    """Return the paired differences to ours: points to the top 1 %, and the error of the map."""
    errors = pairs(has_checkpoint(runs), ours, error_ratio)
    return [plus_minus(pairs(runs, ours, more_points)), plus_minus(errors, 100.0)]


def at_checkpoint(runs, n, measure):
    """Return a mean over runs in per cent."""
    values = [run["at"][str(n)][measure] for run in runs.values() if str(n) in run["at"]]
    return f"{100.0 * np.mean(values):.1f}" if values else ""


def by_kind(peers, answers, quick, what, scale):
    """Return the table of paired differences on each kind of map."""
    ours = runs_of(peers[0], answers, quick)
    rows = []
    for peer in peers[1:]:
        runs = runs_of(peer, answers, quick)
        runs = has_checkpoint(runs) if what is error_ratio else runs
        cells = [
            plus_minus(pairs({k: r for k, r in runs.items() if k[0] == kind}, ours, what), scale) for kind in kinds()
        ]
        if runs:
            rows.append([peer.name, *cells])
    return table(["", *kinds()], rows)


def report(peers, answers, quick):
    """Return the section of docs/benchmarks.md."""
    wrong = errors(answers)
    parts = [
        f"Made by `python benchmarks/peers.py{' --quick' if quick else ''}` ({machine()}). Each package is used as it "
        "comes, in an environment of its own, on one thread; its worker in `benchmarks/peers/` says how. A repeated or "
        "missing pixel of a batch is replaced by a random one.",
        "Time of an iteration (learn, fit, propose ten) with 400 of 50 x 50 pixels measured: CPU seconds, the mean of "
        "some iterations around 400.",
        times(peers, answers),
        f'Maps of 50 x 50 pixels that run from 0 to 1, noise {NOISE} ("noisy": {NOISY}), ten random pixels to start '
        "from, batches of ten; the measured sets as they are. *Regret*: of the measured pixel that is best by the map, "
        "in per cent of the range. *Error*: rms of map minus truth, in per cent of the truth's standard deviation. "
        "The slow peers were given fewer points and seeds, so rows are compared by the last two columns: differences "
        "to ours on the same maps, mean ± standard error (points to the first of the top 1 %, at most as many as the "
        "peer was given; error at the last checkpoint it reached, as a logarithm). Bold: better than ours by more than "
        "two standard errors.",
        totals(peers, answers, quick),
        "Points to the first of the top 1 %, theirs minus ours, by kind of map:",
        by_kind(peers, answers, quick, more_points, 1.0),
        "Points to the very maximum, theirs minus ours:",
        by_kind(peers, answers, quick, to_maximum, 1.0),
        "Error of the map at the last checkpoint, beside ours in per cent (logarithm of the ratio), by kind of map:",
        by_kind(peers, answers, quick, error_ratio, 100.0),
        "Nothing went wrong." if not wrong else "Went wrong:\n\n" + "\n".join(f"- {line}" for line in wrong),
    ]
    return "\n\n".join(parts)


def errors(answers):
    """Return what went wrong, a line for each job."""
    wrong = ((json.loads(key), answer["error"]) for key, answer in answers.known.items() if "error" in answer)
    return [f"{peer}, {kind}, seed {seed}, {points} points: {why}" for (peer, kind, seed, points, _), why in wrong]


def options():
    """Return the arguments of the command line."""
    parser = ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--cache", type=Path, default=Path(platformdirs.user_cache_dir("bluesky_gp")) / "peers")
    parser.add_argument("--torch", default="torch", help="what pip installs as torch, e.g. a build without CUDA")
    parser.add_argument("--quick", action="store_true", help="two kinds of maps, one seed, 100 points")
    parser.add_argument("--peers", nargs="+", metavar="NAME", help="only those whose name begins so (and ours)")
    parser.add_argument("--jobs", type=int, default=1, help="runs at the same time")
    parser.add_argument("--limit", type=float, default=1800.0, help="seconds after which a run is given up")
    parser.add_argument("--json", type=Path, help="keep all answers in this file, and do not ask again what is in it")
    parser.add_argument("--again", nargs="+", default=[], metavar="NAME", help="ask these peers again")
    parser.add_argument("--docs", type=Path, help="write the tables into this file")
    return parser.parse_args()


def main() -> None:
    """Make environments, run, print the tables."""
    arguments = options()
    answers = Answers(arguments.json, arguments.again)
    wanted = tuple(arguments.peers or [""])
    chosen = [peer for peer in PEERS if peer.name == OURS or peer.name.startswith(wanted)]
    needed = {peer.environment for peer in chosen}
    steps = {name: step for name, step in environments(arguments.torch).items() if name in needed}
    pythons = {name: interpreter(name, step, arguments.cache) for name, step in steps.items()} | {"": sys.executable}
    run_all(chosen, pythons, answers, arguments)
    text = report(chosen, answers, arguments.quick)
    print(text)
    if arguments.docs:
        write_section(arguments.docs, "peers", text)


if __name__ == "__main__":
    main()
