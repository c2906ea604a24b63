"""What became of each place of a batch: its pixel was measured, failed, came once more, or was left out."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from bluesky_gp.run import RunRecord, Step


@dataclass(frozen=True)
class Fates:
    """How many places the batches of a run had, and what became of them; the others add up to `proposed`.

    Parameters
    ----------
    proposed : int
        Places of its own batches, and those that the run which it resumes had left.
    measured, failed : int
        Pixels that came for the first time and have a value in the end, or none.
    again : int
        Places of pixels that had been measured or had failed, as people may want.
    left_out : int
        Places of batches before the last that were not measured, as people wanted.
    abandoned : int
        Places of the last batch that were not.
    """

    proposed: int
    measured: int
    failed: int
    again: int
    left_out: int
    abandoned: int

    @classmethod
    def of(cls, record: RunRecord, steps: list[Step]) -> "Fates":
        """Count what became of the batches of a run, whose decisions `steps` are."""
        inherited = record.inherited
        came = _arrivals(record, steps)
        batches = [inherited.rest, *(step.proposed for step in steps)]
        places: dict[int, list[int]] = defaultdict(list)  # the batches that have a pixel, in order
        for number, batch in enumerate(batches):
            for pixel in batch:
                places[pixel].append(number)
        lacking = {int(pixel) for pixel in record.grid.ravel(record.failed)} if len(record.failed) else set()
        counts = dict.fromkeys(("measured", "failed", "again", "left_out", "abandoned"), 0)
        for pixel, numbers in places.items():
            known = pixel in inherited.attempted
            for first, following in zip(numbers, [*numbers[1:], len(batches)], strict=True):
                if not any(first <= arrival < following for arrival in came[pixel]):
                    fate = "abandoned" if first == len(batches) - 1 else "left_out"
                elif known:
                    fate = "again"
                else:
                    fate, known = "failed" if pixel in lacking else "measured", True
                counts[fate] += 1
        return cls(sum(map(len, batches)), **counts)

    def __str__(self) -> str:
        return ", ".join(f"{number} {words}" for number, words in self._parts())

    def _parts(self) -> Iterator[tuple[int, str]]:
        yield self.measured, "measured"
        yield self.failed, "failed"
        if self.again:
            yield self.again, "measured again"
        if self.left_out:
            yield self.left_out, "left out as people wanted"
        yield self.abandoned, "abandoned"


def _arrivals(record: RunRecord, steps: list[Step]) -> dict[int, list[int]]:
    """Return for each pixel the batches after which its outcomes were learnt: 0 is what the run had inherited."""
    came: dict[int, list[int]] = defaultdict(list)
    inherited = len(record.inherited.unlearnt)
    number_of = [number for number, step in enumerate(steps) for _ in step.learnt]
    for place, outcome in enumerate(record.outcomes, start=inherited):
        came[outcome.pixel].append(number_of[place] if place < len(number_of) else len(steps))
    return came
