"""What every peer's worker does with its jobs. Needs numpy; runs in the peer's own environment.

A job is a mapping: ``values`` (flat, NaN where nothing can be measured), ``shape``, ``first`` pixels, ``num``,
``batch``, ``checkpoints``, ``seed``, ``variant``, and ``clock`` (0: a whole run; n: time n iterations about 400
measured pixels, which are in ``first``). The answer to each is a line of JSON.
"""

import json
import sys
import warnings
from importlib.metadata import version
from pathlib import Path
from time import process_time

import numpy as np


class Peer:
    """What a worker has to fill in; everything but `map` is timed.

    Parameters
    ----------
    shape : tuple of int
    candidates : ndarray of int
        Pixels that can be measured.
    seed : int
    variant : str
        Which of its methods the package shall use.
    """

    packages: tuple[str, ...] = ("numpy", "scipy")
    starts_at_random = True  # False: it has a plan of its own

    def __init__(self, shape, candidates, seed, variant):
        self.shape, self.candidates, self.variant = tuple(shape), candidates, variant
        self.rng = np.random.default_rng(seed)
        self.seed = seed
        self.places = np.indices(self.shape).reshape(len(self.shape), -1).T.astype(float)

    def fit(self, pixels, values):
        """Learn all that was measured so far."""
        self.pixels, self.values = np.array(pixels), np.array(values)

    def propose(self, num):
        """Return up to `num` pixels, best first."""
        raise NotImplementedError

    def map(self):
        """Return what it believes of every pixel, flat."""
        raise NotImplementedError

    def left(self):
        """Return the pixels that can still be measured."""
        return np.setdiff1d(self.candidates, self.pixels)


class Run:
    """One job under way: what was measured, and how long the peer took for it."""

    def __init__(self, make, job):
        self.job = job
        self.values = np.array(job["values"], dtype=float)
        self.candidates = np.flatnonzero(np.isfinite(self.values))
        self.peer = make(job["shape"], self.candidates, job["seed"], job["variant"])
        self.rng = np.random.default_rng([job["seed"], 2])
        self.measured = list(job["first"]) if self.peer.starts_at_random else []
        self.repeated, self.at = 0, {}

    def fit(self):
        """Let the peer learn; return the CPU seconds that it took."""
        began = process_time()
        self.peer.fit(self.measured, self.values[self.measured])
        return process_time() - began

    def extend(self, num):
        """Let the peer choose `num` pixels and measure them; return the CPU seconds of the choice."""
        began = process_time()
        proposed = [int(pixel) for pixel in self.peer.propose(num)]
        seconds = process_time() - began
        new = [pixel for pixel in dict.fromkeys(proposed) if pixel not in set(self.measured)][:num]
        self.repeated += num - len(new)
        left = np.setdiff1d(self.candidates, [*self.measured, *new])
        self.measured += [*new, *self.rng.choice(left, min(num - len(new), len(left)), replace=False).tolist()]
        return seconds

    def whole(self):
        """Run up to `num` pixels; return the seconds of each iteration."""
        seconds = []
        num = min(self.job["num"], len(self.candidates))
        while len(self.measured) < num:
            learning = self.fit() if self.measured else 0.0
            self.keep()
            if not self.peer.starts_at_random:
                self.measured = [int(pixel) for pixel in self.peer.propose(num)]
                break
            seconds.append(learning + self.extend(min(self.job["batch"], num - len(self.measured))))
        self.fit()
        self.keep(last=True)
        return seconds

    def keep(self, last=False):
        """At a checkpoint and at the end, remember the map."""
        if last or len(self.measured) in self.job["checkpoints"]:
            self.at[len(self.measured)] = {"pixels": list(self.measured), "mean": np.asarray(self.peer.map()).tolist()}

    def clocked(self):
        """Time the iterations about 400 pixels, the one before them for warming up."""
        n, batch, known = self.job["clock"], self.job["batch"], list(self.measured)
        start = 400 - batch * (n // 2)
        self.measured = known[: start - batch if n > 1 else start]
        seconds = [self.fit() + self.extend(batch) for _ in range(n + (n > 1))]
        return seconds[-n:]


def serve(make):
    """Answer the jobs of the file named by the first argument in the file named by the second."""
    warnings.simplefilter("ignore")  # what a peer has to say is not what is asked here
    jobs = json.loads(Path(sys.argv[1]).read_text())
    with Path(sys.argv[2]).open("w") as answers:
        for job in jobs:
            run = Run(make, job)
            seconds = run.clocked() if job["clock"] else run.whole()
            answer = {"seconds": seconds, "measured": [int(p) for p in run.measured], "repeated": run.repeated}
            packages = {name: version(name) for name in make.packages}
            print(json.dumps({**answer, "at": run.at, "versions": packages}), file=answers, flush=True)
