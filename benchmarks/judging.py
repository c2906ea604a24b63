"""Scores of a choice of pixels, and a file that keeps the answers."""

import json
from threading import Lock

import numpy as np

from bluesky_gp.rehearsal import n_top

CHECKPOINTS = (100, 200, 410)


def top_pixels(case):
    """Return the highest hundredth of the pixels of the true map, the highest first."""
    known = np.isfinite(case.truth)
    order = np.argsort(np.where(known, -case.truth, np.inf), kind="stable")
    return order[: n_top(int(known.sum()))]


def found(measured, pixels):
    """Return how many points it took to measure one of `pixels`, None if none was."""
    wanted = set(pixels.tolist())
    return next((n + 1 for n, pixel in enumerate(measured) if pixel in wanted), None)


def quality(case, pixels, mean):
    """Return the regret of the pixel that is best by the map, and the map's error in the truth's standard deviation."""
    known = np.isfinite(case.truth)
    assert np.isfinite(mean[known]).all(), "a map with holes"
    best = pixels[np.argmax(mean[pixels])]
    regret = (case.truth[known].max() - case.truth[best]) / np.ptp(case.truth[known])
    error = np.sqrt(np.mean((mean - case.truth)[known] ** 2)) / np.std(case.truth[known])
    return {"regret": float(regret), "error": float(error)}


class Answers:
    """Answers by job (a list of plain data that begins with a name), kept in a file as they come."""

    def __init__(self, file, again=()):
        self.file = file
        kept = json.loads(file.read_text()) if file is not None and file.exists() else {}
        self.known = {key: answer for key, answer in kept.items() if not json.loads(key)[0].startswith(tuple(again))}
        self.lock = Lock()

    def add(self, job, answer):
        """Keep an answer."""
        with self.lock:
            self.known[json.dumps(job)] = answer
            if self.file is not None:
                new = self.file.with_suffix(".new")
                new.write_text(json.dumps(self.known, indent=0))
                new.replace(self.file)

    def of(self, job):
        """Return the answer to a job, None if there is none."""
        return self.known.get(json.dumps(job))
