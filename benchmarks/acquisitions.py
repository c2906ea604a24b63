"""The cost of each choice: the time in which every acquisition function that has a name chooses ten pixels.

    python benchmarks/acquisitions.py [SIDE/MEASURED ...]

CPU time, because that is nearly the same beside other work; hyperparameters held. "ten of ten": the function chooses
the whole batch (``batch=1.0``), else half of it, and what is unknown the rest (the default). The rest of an
iteration, learning ten values, is the same for all and stands in the first row.
"""

import sys
from time import process_time

import numpy as np
from engine import sample_map

from bluesky_gp import PixelOptimizer
from bluesky_gp.acquisition import BY_NAME
from bluesky_gp.optimizer import model

SIZES = ("50/410", "128/1000", "256/2000")


def clock(work):
    """Return the shortest CPU time of three runs, in milliseconds."""
    taken = []
    for _ in range(3):
        began = process_time()
        work()
        taken.append(process_time() - began)
    return 1e3 * min(taken)


def measure(side, m):
    """Return rows of a size: name -> CPU milliseconds of ten and of five pixels of ten."""
    grid, values = sample_map(side)
    pixels = np.random.default_rng(0).choice(grid.size, m + 10, replace=False)
    points = [{"_id": int(i), "z": float(values[i])} for i in pixels]
    optimizer = PixelOptimizer(grid, "z")
    optimizer.ingest(points[:m])
    model.refit_due, model.contradicts = lambda *_: False, lambda _: False
    before = optimizer.state
    rows = {"learning ten": [clock(lambda: optimizer.learn(before, points[m:]))] * 2}
    for name, kind in BY_NAME.items():
        choosing = [PixelOptimizer(grid, "z", acquisition=kind(), batch=share) for share in (1.0, None)]
        rows[name] = [clock(lambda chosen=chosen: chosen.propose(before, 10)) for chosen in choosing]
        print(f"{side}^2, {m}: {name}", file=sys.stderr, flush=True)
    return rows


def main() -> None:
    """Print the table."""
    sizes = [tuple(int(part) for part in size.split("/")) for size in sys.argv[1:] or SIZES]
    tables = [measure(*size) for size in sizes]
    heads = [f"{side} x {side}, {m}: ten of ten | five of ten" for side, m in sizes]
    print(f"| CPU ms | | {' | '.join(heads)} |")
    print(f"| --- | --- |{' --- | --- |' * len(sizes)}")
    for name in tables[0]:
        what = f"`{BY_NAME[name].__name__}`" if name in BY_NAME else ""
        times = [f"{ms:.0f}" for table in tables for ms in table[name]]
        print(f"| {name} | {what} | {' | '.join(times)} |")


if __name__ == "__main__":
    main()
