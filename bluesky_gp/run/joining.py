"""A run with the spectra of those that it resumes."""

from dataclasses import replace

import numpy as np

from bluesky_gp.run.kept_spectra import KeptSpectra, blocks
from bluesky_gp.run.record import RunRecord
from bluesky_gp.run.spectra import Spectra


def joined(record: RunRecord, *earlier: RunRecord) -> RunRecord:
    """Return a run whose spectra begin with those of the runs that it resumes; all else of it stays as it is.

    Parameters
    ----------
    record : RunRecord
    *earlier : RunRecord
        The runs that it resumes, the first of all first, as far as there are records of them.

    Raises
    ------
    ValueError
        If one of them is none of those, or has spectra over another axis.
    """
    following = (*earlier[1:], record) if earlier else ()
    for before, after in zip(earlier, following, strict=True):
        if after.inherited.uid != before.start["uid"]:
            uid, given = str(after.start["uid"])[:8], str(before.start["uid"])[:8]
            raise ValueError(f"joined: run {uid} resumes {after.inherited.uid[:8] or 'none'}, got {given} before it")
    parts = [each.spectra for each in (*earlier, record) if each.spectra is not None]
    missing = "; ".join(each.missing_spectra for each in (*earlier, record) if each.missing_spectra)
    return replace(record, spectra=_one_after_another(parts), missing_spectra=missing) if earlier and parts else record


def _one_after_another(parts: list[Spectra]) -> Spectra:
    last, kept = parts[-1], KeptSpectra()
    for part in parts:
        if not np.array_equal(part.axis, last.axis) or part.axis_units != last.axis_units:
            raise ValueError(
                f"joined: the spectra of one run have {len(part.axis)} channels from {part.axis[0]:g} to "
                f"{part.axis[-1]:g} {part.axis_units}, those of the last {len(last.axis)} from {last.axis[0]:g} to "
                f"{last.axis[-1]:g} {last.axis_units}"
            )
        for _, rows in blocks(part.values):
            for row in rows:
                kept.add(row)
    return replace(last, pixels=np.concatenate([part.pixels for part in parts]), values=kept.rows(len(last.axis)))
