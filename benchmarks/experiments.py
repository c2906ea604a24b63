"""The main job on every sample and ten seeds: what was found, and how long it took.

    python benchmarks/experiments.py [--seeds 10] [SAMPLE ...]

Samples are ferroelectric, eels and the measured sets in the folder named by BLUESKY_GP_DATA; 16.4 % of the pixels, or
30 if that is more. The best pixel (by the posterior mean) passes if it is among the top 1 % of the true map, or the top
three if that is more; for beps_pto_loops, whose noise from pixel to pixel is as large as its pattern, by the 3 x 3
median of the true map.
"""

import os
from argparse import ArgumentParser
from pathlib import Path
from time import perf_counter

import numpy as np
from bluesky import RunEngine

from bluesky_gp.cli.choices import default_batch
from bluesky_gp.cli.demo import default_number, make_agent
from bluesky_gp.cli.instruments import simulated
from bluesky_gp.cli.report import summary
from bluesky_gp.cli.targets import MEASURED
from bluesky_gp.plans import adaptive_map
from bluesky_gp.rehearsal import n_top
from bluesky_gp.run import RunRecord

BY_MEDIAN = ("beps_pto_loops_50x50",)
HEADER = "sample                     seeds  passed  rank: median, worst  top 1 %  failed  error of the map   s a run"


def samples():
    """Return the samples that there are."""
    folder = os.environ.get("BLUESKY_GP_DATA")
    files = [] if folder is None else [Path(folder) / f"{name}.npz" for name in MEASURED]
    return ["ferroelectric", "eels", *(str(file) for file in files if file.exists())]


def run(sample, seed):
    """Run the main job once; return its summary, the run's seconds included."""
    documents = []
    engine = RunEngine({})
    engine.subscribe(lambda name, doc: documents.append((name, doc)))
    with simulated(sample, None) as setup:
        num = default_number(setup)
        agent = make_agent(setup, batch=default_batch(num), acquisition="ei", kernel="default", seed=seed)
        began = perf_counter()
        engine(adaptive_map([setup.detector], setup.stage, agent, num=num))
        seconds = perf_counter() - began
    return summary(RunRecord.from_documents(documents), setup.truth) | {"seconds": seconds}


def row(sample, results):
    """Return a line of the table."""
    name = Path(sample).stem
    ranks = [result["smooth_rank" if name in BY_MEDIAN else "rank"] for result in results]
    limit = max(3, n_top(results[0]["n_valid"]))
    passed = sum(rank <= limit for rank in ranks)
    mean = {key: np.mean([result[key] for result in results]) for key in ("top_found", "relative_rmse", "seconds")}
    failed = np.mean([result["n_failed"] for result in results])
    return (
        f"{name:26s} {len(results):5d}  {passed:6d}  {np.median(ranks):7.0f}, {max(ranks):5d} of {limit:<4d} "
        f"{mean['top_found']:6.0%}  {failed:6.1f}  {mean['relative_rmse']:6.1%} of its sd  {mean['seconds']:8.2f}"
        f"   ranks {ranks}"
    )


def main() -> None:
    """Print the table."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("samples", nargs="*")
    arguments = parser.parse_args()
    print(HEADER)
    for sample in arguments.samples or samples():
        print(row(sample, [run(sample, seed) for seed in range(arguments.seeds)]), flush=True)


if __name__ == "__main__":
    main()
