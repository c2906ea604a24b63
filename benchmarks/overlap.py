"""Points to the same result where every batch is chosen without the values of the one before it: `overlap=True`.

    python benchmarks/overlap.py [--seeds 10] [--jobs 2] [--json FILE] [--docs docs/benchmarks.md]

Both choose batches of ten up to 410 from the same ten random pixels, on the kinds of maps of `choices.py`. The
overlapped one begins to overlap when three times as many pixels are known as are under way, as `adaptive_map` does;
"from one batch" when as many are.
"""

from argparse import ArgumentParser
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from choices import BATCH, NUM, judged, learn, optimizer
from judging import CHECKPOINTS, Answers, quality
from maps import kinds, make
from tables import machine, plus_minus, table, write_section

RULES = {"plain": None, "overlapped": 3 * BATCH, "from one batch": BATCH}
"""How many pixels must be known before decisions overlap; None: they never do."""
MEASURES = {
    "points to the maximum": ("maximum", 1.0, 0),
    "points to the top 1 %": ("top", 1.0, 0),
    **{f"error at {n}, %": (f"error {n}", 100.0, 1) for n in CHECKPOINTS},
}


def run(rule, kind, seed):
    """Choose and measure; return what came out."""
    case = make(kind, seed)
    num = min(NUM, int(np.isfinite(case.values).sum()) // 6)
    made, pixels, at = optimizer("default", case), [], {}
    batch = [int(pixel) for pixel in case.first(BATCH)]
    while batch:
        known, left = len(pixels), num - len(pixels) - len(batch)
        ahead = RULES[rule] is not None and known >= RULES[rule] and left > 0
        following = _chosen(made, min(BATCH, left), batch) if ahead else []
        learn(made, case, batch)
        pixels += batch
        if len(pixels) in CHECKPOINTS or len(pixels) == num:
            at[str(len(pixels))] = quality(case, np.array(pixels), made.mean.ravel())
        batch = following or (_chosen(made, min(BATCH, left), ()) if left > 0 else [])
    return judged(case, pixels, at)


def _chosen(made, num, pending):
    return [point["_id"] for point in made.suggest(num, pending=pending)]


def differences(answers, rule, measure, jobs):
    """Return overlapped minus plain on every map, of errors the difference of the logarithms."""
    theirs, plain = (np.array([answers.of([name, *job])[measure] for job in jobs]) for name in (rule, "plain"))
    return np.log(theirs / plain) if measure.startswith("error") else theirs - plain


def row(name, answers, rule, jobs):
    """Return a row of paired differences."""
    cells = [
        plus_minus(differences(answers, rule, key, jobs), scale, digits) for key, scale, digits in MEASURES.values()
    ]
    return [name, *cells]


def report(answers, chosen, seeds):
    """Return the tables."""
    jobs = [[kind, seed] for kind in chosen for seed in seeds]
    done = [job for job in jobs if all(answers.of([rule, *job]) for rule in RULES)]
    rows = [row(f"all, {rule}", answers, rule, done) for rule in RULES if rule != "plain"]
    rows += [row(kind, answers, "overlapped", [job for job in done if job[0] == kind]) for kind in chosen]
    parts = [
        f"Made by `python benchmarks/overlap.py --seeds {len(seeds)}` ({machine()}): {len(done)} maps. Paired "
        "differences, overlapped minus plain, mean ± standard error; above zero the overlap costs. Errors: difference "
        "of the logarithms in per cent.",
        table(["maps", *MEASURES], rows),
    ]
    return "\n\n".join(parts)


def one(job):
    """Run a job in a worker."""
    return job, run(*job)


def main() -> None:
    """Run what was not run yet, print the tables."""
    parser = ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--begin", type=int, default=400, help="the first of them")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--json", type=Path, help="keep all runs in this file")
    parser.add_argument("--docs", type=Path, help="write the tables into this file")
    arguments = parser.parse_args()
    seeds = range(arguments.begin, arguments.begin + arguments.seeds)
    answers, chosen = Answers(arguments.json, []), kinds()
    jobs = [[rule, kind, seed] for seed in seeds for kind in chosen for rule in RULES]
    with ProcessPoolExecutor(arguments.jobs) as pool:
        for job, answer in pool.map(one, [job for job in jobs if answers.of(job) is None]):
            answers.add(job, answer)
    text = report(answers, chosen, seeds)
    print(text)
    if arguments.docs:
        write_section(arguments.docs, "overlap", text)


if __name__ == "__main__":
    main()
