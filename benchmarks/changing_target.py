"""Error of a map whose target changes while it is measured: with a kernel of time, without, and of a sample at rest.

    python benchmarks/changing_target.py [--seeds 10] [--jobs 2] [--docs docs/time.md]

Four kinds of maps of `maps.py`, 25 x 25 pixels, 150 of them measured in batches of ten, one a second, with noise of
0.05 of the map's standard deviation; the signal is four times that deviation above zero. It stands still; or it rises
by one deviation from the first value to the last; or it is proportional to a current that goes up and down by a fifth,
four times, and is learnt as it is or by its logarithm. The time scale given is a third of the run. A map is compared
with what the sample was on average while it was measured. Ratios are geometric means over kinds and seeds, with their
standard errors.
"""

from argparse import ArgumentParser
from concurrent.futures import ProcessPoolExecutor
from itertools import product
from pathlib import Path

import numpy as np
from maps import make
from sklearn.preprocessing import FunctionTransformer
from tables import machine, table, write_section

from bluesky_gp import PixelGrid, PixelOptimizer

KINDS = ("smooth", "domains", "grains", "stripes")
NUM, BATCH, NOISE, LEVEL = 150, 10, 0.05, 4.0
CHANGES = {
    "nothing changes": lambda z, share: z,
    "charging: + 1 deviation": lambda z, share: z + share,
    "current: ± 20 %, four times": lambda z, share: z * (1.0 + 0.2 * np.sin(8.0 * np.pi * share)),
}
CHANGES["the same, by its logarithm"] = CHANGES["current: ± 20 %, four times"]
TRANSFORMS = {"the same, by its logarithm": FunctionTransformer(np.log, np.exp)}
STILL = next(iter(CHANGES))


def error(job):
    """Return the root mean square error of the map."""
    change, kind, seed, timed = job
    truth = make(kind, seed).truth.reshape(50, 50)[::2, ::2]
    truth, rng = LEVEL + (truth - truth.mean()) / truth.std(), np.random.default_rng([seed, 7])
    options = {"time_kernel": NUM / 3.0 if timed else None, "transform": TRANSFORMS.get(change)}
    optimizer = PixelOptimizer(PixelGrid(truth.shape), "z", batch_size=BATCH, seed=seed, **options)
    for start in range(0, NUM, BATCH):
        optimizer.ingest(
            [
                {
                    "_id": point["_id"],
                    "z": CHANGES[change](truth.flat[point["_id"]], t / NUM) + NOISE * rng.standard_normal(),
                    "time": float(t),
                }
                for t, point in enumerate(optimizer.suggest(BATCH), start)
            ]
        )
    on_average = np.mean([CHANGES[change](truth, t / NUM) for t in range(NUM)], axis=0)
    return float(np.sqrt(np.mean((optimizer.state.mean - on_average) ** 2)))


def ratio(over, under):
    """Return the geometric mean of ratios, and its standard error."""
    logs = np.log(over) - np.log(under)
    return f"{np.exp(logs.mean()):.2f} ± {np.exp(logs.mean()) * logs.std() / np.sqrt(len(logs)):.2f}"


def rows(errors, seeds):
    """Return a row for each change and each kind, and one for all kinds."""
    for change in CHANGES:
        for kinds in (*((kind,) for kind in KINDS), KINDS):
            still, without, timed = (
                np.array([errors[each, kind, seed, with_time] for kind, seed in product(kinds, range(seeds))])
                for each, with_time in ((STILL, False), (change, False), (change, True))
            )
            name = kinds[0] if len(kinds) == 1 else "all"
            yield [change, name, ratio(without, still), ratio(timed, still), ratio(timed, without)]


def main():
    """Print the table."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--docs")
    options = parser.parse_args()
    jobs = [*product(CHANGES, KINDS, range(options.seeds), (False, True))]
    with ProcessPoolExecutor(options.jobs) as pool:
        errors = dict(zip(jobs, pool.map(error, jobs), strict=True))
    head = ["the target", "map", "without, over at rest", "with `time_kernel`, over at rest", "with over without"]
    text = table(head, [*rows(errors, options.seeds)])
    print(text)
    if options.docs:
        made = f"Made by `python benchmarks/changing_target.py --seeds {options.seeds}` ({machine()})."
        write_section(Path(options.docs), "changing target", f"{text}\n\n{made}")


if __name__ == "__main__":
    main()
