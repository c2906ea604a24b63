"""Samples by name or file, and what is mapped on each."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bluesky_gp.protocols import Floats

_TI_EDGE = {"kind": "net_counts", "edge": [454.0, 472.0], "background": [400.0, 450.0]}

MEASURED: dict[str, tuple[str, Any]] = {
    # 5e-4 a.u. is the largest response that is physical on this film; beyond it are resonance fits that failed.
    "beps_pto_loops_50x50": ("loop_area", {"kind": "loop_area", "limit": 5e-4}),
    "bepfm_resonance_32x32": ("resonance", {"kind": "centroid"}),
    "ckpfm_bfo_10x10": ("loop_area", {"kind": "loop_area"}),
    "eels_oxide_interface_49x6": ("ti_counts", _TI_EDGE),
}
"""Public measured sets by the name of their file: target and scalarizer that go with the truth they hold."""


@dataclass(frozen=True)
class Experiment:
    """A sample, and the number that is mapped on it."""

    sample: Any
    target: str
    scalarizer: Any  # a name, or a mapping with its parameters
    truth: Floats  # NaN where there is none


def experiment(name: str, target: str | None) -> Experiment:
    """Return the experiment that the command line asks for.

    Parameters
    ----------
    name : str
        "ferroelectric", "eels" or the path of a file of measured spectra.
    target : str, optional
        Name of a scalarizer. Default: what is usual for the sample.

    Raises
    ------
    ValueError, FileNotFoundError
        If there is no such sample or target; the message says what there is.
    """
    from bluesky_gp.devices.samples import MeasuredSample, make_sample

    if name in ("ferroelectric", "eels"):
        sample = make_sample(name)
        chosen = sample.default_target if target is None else target
        return Experiment(sample, chosen, chosen, sample.truth(chosen))
    measured = MeasuredSample(name)
    if len(measured.shape) != 2:
        raise ValueError(f"{name}: the demonstration maps two axes, this file has {len(measured.shape)}")
    usual, scalarizer = MEASURED.get(Path(name).stem, (measured.default_target, measured.default_target))
    if target not in (None, usual):
        return Experiment(measured, target, target, measured.truth(target))
    stored = measured.stored_truth() if Path(name).stem in MEASURED else None
    truth = measured.truth(scalarizer) if stored is None else stored
    if not np.isfinite(truth).any():
        raise ValueError(f"{name}: target {usual!r} fails at every pixel; choose another with --target")
    return Experiment(measured, usual, scalarizer, truth)
