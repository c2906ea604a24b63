"""An overview image beside none: adaptive maps of the same pixels' values, by default settings.

    python benchmarks/overview.py [--seeds 20] [--jobs 2] [--json FILE] [--docs docs/overview.md]

Every pair of runs has map, noise, seed and batches of ten in common; synthetic maps are measured to 410 pixels of 2500,
measured ones to a third. Errors are those of the posterior mean over the whole map. Of the kinds the seeds from 0 on
were looked at while the features were chosen; those judged here begin at 500. --json keeps every run: what is in the
file is not run again.
"""

import os
from argparse import ArgumentParser
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from images import KINDS, kinds, make
from judging import Answers, found
from tables import machine, spread, table, write_section

from bluesky_gp import PixelGrid, PixelOptimizer
from bluesky_gp.rehearsal import n_top

BATCH = 10
COUNTS = (100, 200, 410)
SHARES = (0.16, 0.2, 0.33)  # of the pixels of a measured map, in their place
WAYS = ("without", "with")


def counts(pair):
    """Return the numbers of pixels after which a map is judged."""
    return COUNTS if pair.kind in KINDS else tuple(round(share * pair.truth.size) for share in SHARES)


def run(way, kind, seed):
    """Measure a map; return errors in its standard deviation, points to the top 1 %, whether the image was used."""
    pair = make(kind, seed)
    overview = pair.image if way == "with" else None
    optimizer = PixelOptimizer(PixelGrid(pair.truth.shape), "z", seed=seed, overview=overview)
    errors, used = [], []
    for count in counts(pair):
        while (left := count - optimizer.state.n_measured) > 0:
            points = optimizer.suggest(min(BATCH, left))
            optimizer.ingest([{**point, "z": float(pair.values[point["row"], point["col"]])} for point in points])
        errors.append(float(np.sqrt(np.mean((optimizer.mean - pair.truth) ** 2)) / pair.truth.std()))
        contribution = optimizer.state.fit.contribution
        used.append(bool(contribution is not None and contribution.used))
    top = np.argsort(-pair.truth.ravel(), kind="stable")[: n_top(pair.truth.size)]
    to_top = found(optimizer.state.pixels.tolist(), top)
    return {"errors": errors, "used": used, "to top": to_top or counts(pair)[-1] + BATCH}


def one(job):
    """Run a job; return it with its answer."""
    return job, run(*job)


def row(kind, answers, seeds):
    """Return a line of the table: ratios of errors, geometric means over the seeds, and points saved."""
    both = [[answers.of([way, kind, seed]) for way in WAYS] for seed in seeds]
    both = [pair for pair in both if None not in pair]
    if not both:
        return [kind, "0", *["-"] * 6]
    logs = np.log([np.divide(seen["errors"], blind["errors"]) for blind, seen in both])
    ratios = [f"{np.exp(np.mean(log)):.2f} ± {np.exp(np.mean(log)) * spread(log)[1]:.2f}" for log in logs.T]
    used = np.mean([seen["used"][-1] for _, seen in both])
    to_top = [np.median([run["to top"] for run in runs]) for runs in zip(*both, strict=True)]
    saved, error = spread([seen["to top"] - blind["to top"] for blind, seen in both])
    points = f"{to_top[0]:.0f}, {to_top[1]:.0f}"
    return [kind, str(len(both)), *ratios, f"{used:.0%}", points, f"{saved:+.0f} ± {error:.0f}"]


def report(answers, chosen, seeds):
    """Return the table, and what it was measured on."""
    head = ["kind", "seeds", "error at 100", "at 200", "at 410", "used", "points to the top 1 %", "difference"]
    return table(head, [row(kind, answers, seeds) for kind in chosen]) + f"\n\nMeasured on {machine()}."


def main() -> None:
    """Run what was not run yet, print the table."""
    parser = ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--begin", type=int, default=500, help="the first of them")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--kinds", nargs="+", default=kinds(), choices=kinds())
    parser.add_argument("--json", type=Path, help="keep all runs in this file")
    parser.add_argument("--docs", type=Path, help="write the table into this file")
    arguments = parser.parse_args()
    seeds = range(arguments.begin, arguments.begin + arguments.seeds)
    answers = Answers(arguments.json)
    jobs = [[way, kind, seed] for seed in seeds for kind in arguments.kinds for way in WAYS]
    with ProcessPoolExecutor(arguments.jobs) as pool:
        for job, answer in pool.map(one, [job for job in jobs if answers.of(job) is None]):
            answers.add(job, answer)
    text = report(answers, arguments.kinds, seeds)
    print(text)
    if arguments.docs:
        write_section(arguments.docs, "overview", text)


if __name__ == "__main__":
    main()
