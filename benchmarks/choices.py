"""Which pixels to choose: ours beside other rules, by the same Gaussian process, on maps drawn by seed.

    python benchmarks/choices.py [--seeds 20] [--jobs 2] [--json FILE] [--docs docs/choosing.md]

Every rule starts from the same ten random pixels and chooses batches of ten up to 410 (a sixth of a smaller map). All
are given our Gaussian process, so that they differ in where they measure only; "R5" has the kernel (Matern 5/2, no
roughness) and the priors that it was found with. The rules were fixed on maps of other seeds (from 1000 on; 0 to 2 and
100 to 119 and 200 to 219 judged earlier defaults). --json keeps every run: what is in the file is not run again, unless
--again names its rule.
"""

import os
from argparse import ArgumentParser
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
from judging import CHECKPOINTS, Answers, found, quality, top_pixels
from maps import NOISE, NOISY, kinds, make
from tables import machine, plus_minus, spread, table, write_section

from bluesky_gp import PixelGrid, PixelOptimizer
from bluesky_gp.acquisition import ExpectedImprovement, ThompsonSampling
from bluesky_gp.gp import KernelChoice, LinearPrior, RotatedMatern, theta_names
from bluesky_gp.optimizer import Ranking

OURS, NUM, BATCH = "default", 410, 10


class Split:
    """So many of ten pixels by the acquisition function, then those of the largest variance, as R5 has it."""

    def __init__(self, share):
        self.share = share

    def __call__(self, place):
        """Rank the candidates of a place."""
        if place.number < round(self.share * place.num):
            scores = place.score(place.posterior, place.candidates)
            return Ranking(scores, scores)
        return Ranking(place.posterior.variance[place.candidates])


RULES = {
    OURS: {},
    "R5": {"batch": Split(0.5)},
    "seven and three": {"batch": Split(0.7)},
    "expected improvement": {"batch": Split(1.0)},
    "variance": {"batch": Split(0.0)},
    "Thompson": {"acquisition": ThompsonSampling(), "batch": Split(1.0)},
    "random": None,
    "coarse grid": None,
}
MEASURES = {
    "points to the maximum": ("maximum", 1.0, 0),
    "points to the top 1 %": ("top", 1.0, 0),
    "top 1 % missed, %": ("missed", 100.0, 1),
    **{f"regret at {n}, %": (f"regret {n}", 100.0, 2) for n in CHECKPOINTS},
    **{f"error at {n}, %": (f"error {n}", 100.0, 1) for n in CHECKPOINTS},
}
"""Smaller is better; differences of errors are of their logarithms."""


def optimizer(rule, case):
    """Return an optimizer that chooses by a rule; one that does not choose learns all the same."""
    grid = PixelGrid(case.shape, mask=~np.isfinite(case.values).reshape(case.shape))
    made = PixelOptimizer(grid, "z", seed=case.seed, **{"acquisition": ExpectedImprovement(), **(RULES[rule] or {})})
    if rule == "R5":
        model = made._model  # noqa: SLF001
        made._model = replace(model, beliefs=model.beliefs._replace(choice=choice_of_r5(case.shape)))  # noqa: SLF001
        made._state = made._model.beginning("z")  # noqa: SLF001
    return made


def choice_of_r5(shape):
    """Return the kernel that R5 was found with: no roughness, and log(noise / amplitude) ~ N(log 0.01, 2)."""
    ours = KernelChoice.default(shape)
    smooth = ours.kernel.k1.k2.get_params() | {"roughness": 0.0, "roughness_bounds": "fixed"}
    kernel = ours.kernel.k1.k1 * RotatedMatern(**smooth) + ours.kernel.k2
    (place,) = [i for i, name in enumerate(theta_names(ours.kernel)) if name.endswith("roughness")]
    (row,) = np.flatnonzero(ours.prior.A[:, place])
    A = np.delete(np.delete(ours.prior.A, row, axis=0), place, axis=1)  # noqa: N806
    mean, std = np.delete(ours.prior.mean, row), np.delete(ours.prior.std, row)
    mean[-1], std[-1] = np.log(0.01), 2.0
    starts = tuple(np.delete(start, place) for start in ours.starts)
    return KernelChoice(kernel, LinearPrior(A, mean, std), starts, np.delete(ours.scale, place))


def run(rule, kind, seed):
    """Choose and measure; return what came out."""
    case = make(kind, seed)
    ok = np.flatnonzero(np.isfinite(case.values))
    num = min(NUM, len(ok) // 6)
    if rule == "coarse grid":
        return on_coarse_grids(case, ok, num)
    made, pixels, unlearnt, at = optimizer(rule, case), [], [], {}
    others = np.random.default_rng([seed, 3]).permutation(np.setdiff1d(ok, case.first(BATCH)))
    while len(pixels) < num:
        new = case.first(BATCH) if not pixels else proposed(rule, made, others, pixels, min(BATCH, num - len(pixels)))
        pixels += [int(pixel) for pixel in new]
        unlearnt += [int(pixel) for pixel in new]
        judging = len(pixels) in CHECKPOINTS or len(pixels) == num
        if judging or rule != "random":
            learn(made, case, unlearnt)
            unlearnt = []
        if judging:
            at[str(len(pixels))] = quality(case, np.array(pixels), made.mean.ravel())
    return judged(case, pixels, at)


def proposed(rule, made, others, pixels, num):
    """Return the next batch."""
    if rule == "random":
        return others[len(pixels) - BATCH :][:num]
    return [point["_id"] for point in made.suggest(num)]


def learn(made, case, pixels):
    """Measure pixels."""
    made.ingest([{"_id": int(pixel), "z": float(case.values[pixel])} for pixel in pixels])


def on_coarse_grids(case, ok, num):
    """Return what regular grids of each number of points give; the maximum is found by the finest if at all."""
    at, pixels = {}, []
    for n in [*(n for n in CHECKPOINTS if n < num), num]:
        share = np.sqrt(n / len(ok))
        lines = [np.linspace(0, side - 1, int(side * share) * 2 + 1)[1::2].round().astype(int) for side in case.shape]
        grid = np.ravel_multi_index(np.meshgrid(*lines, indexing="ij"), case.shape).ravel()
        pixels = grid[np.isin(grid, ok)].tolist()
        made = optimizer("coarse grid", case)
        learn(made, case, pixels)
        at[str(n)] = quality(case, np.array(pixels), made.mean.ravel())
    return judged(case, pixels, at)


def judged(case, pixels, at):
    """Reduce a run to what the tables need; what was not found counts as found at the end."""
    top, num = top_pixels(case), max(int(n) for n in at)
    maximum = found(pixels, top[:1])
    answer = {
        "found": maximum is not None,
        "maximum": maximum or num,
        "top": found(pixels, top) or num,
        "missed": 1.0 - len(set(top.tolist()) & set(pixels)) / len(top),
    }
    for checkpoint in CHECKPOINTS:
        reached = at[str(min(checkpoint, num))]
        answer |= {f"{name} {checkpoint}": value for name, value in reached.items()}
    return answer


# -- tables ------------------------------------------------------------------------------------------------------------


def differences(answers, rule, measure, jobs):
    """Return ours minus theirs on every map, of errors the difference of the logarithms."""
    ours, theirs = (np.array([answers.of([name, *job])[measure] for job in jobs]) for name in (OURS, rule))
    return np.log(ours / theirs) if measure.startswith("error") else ours - theirs


def beside(answers, rules, jobs):
    """Return the table of paired differences over all maps."""
    rows = [
        [
            rule,
            *(
                plus_minus(differences(answers, rule, key, jobs), scale, digits)
                for key, scale, digits in MEASURES.values()
            ),
        ]
        for rule in rules
        if rule != OURS
    ]
    return table(["default minus ...", *MEASURES], rows)


def beside_by_kind(answers, rule, jobs, chosen):
    """Return the table of paired differences to one rule by kind of map, and the cells that it wins."""
    rows, lost = [], []
    for kind in chosen:
        mine = [job for job in jobs if job[0] == kind]
        found_here = {name: differences(answers, rule, key, mine) for name, (key, _, _) in MEASURES.items()}
        rows.append([kind, *(plus_minus(found_here[n], scale, digits) for n, (_, scale, digits) in MEASURES.items())])
        for name, values in found_here.items():
            mean, error = spread(values)
            if mean > 2.0 * error:
                lost.append(f"{kind}, {name} ({mean / error:.1f} standard errors)")
    return table(["kind", *MEASURES], rows), lost


def maxima(answers, rules, jobs, chosen):
    """Return the table of points to the maximum: median, mean counted to the end of the run, how often it was found."""
    rows = []
    for kind in chosen:
        cells = [kind]
        for rule in rules:
            runs = [answers.of([rule, *job]) for job in jobs if job[0] == kind]
            points = [each["maximum"] for each in runs]
            cells.append(f"{np.median(points):.0f}, {np.mean(points):.0f}, {sum(r['found'] for r in runs)}/{len(runs)}")
        rows.append(cells)
    return table(["kind", *rules], rows)


def goals(answers, jobs):
    """Return the two figures that were asked for together."""
    error = differences(answers, "variance", "error 410", jobs)
    points = differences(answers, "seven and three", "maximum", jobs)
    return (
        f"Error of the map at the end over that of pure variance: {np.exp(error.mean()):.3f} "
        f"(± {np.exp(error.mean()) * spread(error)[1]:.3f}); points to the maximum beside seven and three: "
        f"{plus_minus(points)}."
    )


def report(answers, rules, chosen, seeds):
    """Return the tables."""
    jobs = [[kind, seed] for kind in chosen for seed in seeds]
    done = [job for job in jobs if all(answers.of([rule, *job]) for rule in rules)]
    lost_table, lost = beside_by_kind(answers, "R5", done, chosen)
    parts = [
        f"Made by `python benchmarks/choices.py --seeds {len(seeds)}` ({machine()}): {len(done)} maps, "
        f'{len(chosen)} kinds, of 50 x 50 pixels with noise {NOISE} of the range ("noisy": {NOISY}); the measured sets '
        "as they are.",
        goals(answers, done),
        "Paired differences to each rule, mean ± standard error over all maps; below zero the default is better, bold "
        "if by more than two standard errors. Errors: difference of the logarithms in per cent.",
        beside(answers, rules, done),
        "Beside R5 by kind of map:",
        lost_table,
        "R5 is better by more than two standard errors in: " + ("; ".join(lost) or "nothing") + ".",
        "Points to the very maximum: median, mean (not found counts as the end), found:",
        maxima(answers, rules, done, chosen),
    ]
    return "\n\n".join(parts)


def one(job):
    """Run a job in a worker."""
    return job, run(*job)


def main() -> None:
    """Run what was not run yet, print the tables."""
    parser = ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--begin", type=int, default=300, help="the first of them")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--rules", nargs="+", default=[*RULES], choices=[*RULES])
    parser.add_argument("--again", nargs="+", default=[], help="run these rules again")
    parser.add_argument("--json", type=Path, help="keep all runs in this file")
    parser.add_argument("--docs", type=Path, help="write the tables into this file")
    arguments = parser.parse_args()
    seeds = range(arguments.begin, arguments.begin + arguments.seeds)
    answers, chosen = Answers(arguments.json, arguments.again), kinds()
    jobs = [[rule, kind, seed] for seed in seeds for kind in chosen for rule in arguments.rules]
    with ProcessPoolExecutor(arguments.jobs) as pool:
        for job, answer in pool.map(one, [job for job in jobs if answers.of(job) is None]):
            answers.add(job, answer)
    text = report(answers, arguments.rules, chosen, seeds)
    print(text)
    if arguments.docs:
        write_section(arguments.docs, "choices", text)


if __name__ == "__main__":
    main()
