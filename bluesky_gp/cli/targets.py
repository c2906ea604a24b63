"""Samples by name or file, and what is mapped on each."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bluesky_gp.typing import Floats

if TYPE_CHECKING:
    from bluesky_gp.devices.sim import Sample

_TI_EDGE = {"kind": "net_counts", "edge": [454.0, 472.0], "background": [400.0, 450.0]}

MEASURED: dict[str, tuple[str, Any]] = {
    # 5e-4 a.u. is the largest response that is physical on this film; beyond it are resonance fits that failed.
    "beps_pto_loops_50x50": ("loop_area", {"kind": "loop_area", "limit": 5e-4}),
    "bepfm_resonance_32x32": ("resonance", {"kind": "centroid"}),
    "ckpfm_bfo_10x10": ("loop_area", {"kind": "loop_area"}),
    "eels_oxide_interface_49x6": ("ti_counts", _TI_EDGE),
}
"""Public measured sets by the name of their file: target and scalarizer that go with the truth they hold."""

HELP = "A scalarizer: name, name:key=value,key=a..b or JSON (see docs/targets.md)."
"""The values of ``--target``, in a line."""

SIGNAL_HELP = "Name or number of the spectrum image, in a FILE that holds several."
"""The values of ``--signal``, in a line."""

SYNTHETIC = ("ferroelectric", "eels")
"""Samples that are no files."""

_COMPARING = {"cosine": ("reference",), "component": ("components",)}  # what each takes instead of a file


@dataclass(frozen=True)
class Experiment:
    """A sample, and the number that is mapped on it."""

    sample: Any
    target: str
    scalarizer: Any  # a name, or a mapping with its parameters
    truth: Floats  # NaN where there is none


def experiment(name: str, target: str | None, signal: str | None = None) -> Experiment:
    """Return the experiment that the command line asks for.

    Parameters
    ----------
    name : str
        "ferroelectric", "eels" or the path of a file of measured spectra.
    target : str, optional
        A scalarizer, as `parsed_target` reads it. Default: the usual one of the sample.
    signal : str, optional
        Name of the spectrum image, in a file that holds several.

    Raises
    ------
    ValueError, FileNotFoundError
        If there is no such sample or target; the message says what there is.
    """
    sample = sample_of(name, signal)
    chosen, scalarizer, stored = chosen_target(sample, name, target)
    truth = sample.truth(scalarizer) if stored is None else stored
    if not np.isfinite(truth).any():
        raise ValueError(
            f"{name}: target {chosen!r} fails at every pixel, {_why(sample, scalarizer)}; choose another with --target"
        )
    return Experiment(sample, chosen, scalarizer, truth)


def sample_of(name: str, signal: str | None) -> "Sample":
    """Return a sample from its name or file, and the spectrum image of it that is meant."""
    from bluesky_gp.devices.sim import make_sample

    if signal is None:
        return make_sample(name)
    if name in SYNTHETIC:
        raise ValueError(
            f"--signal {signal}: the synthetic sample {name} has one signal; it is for files that hold several"
        )
    return make_sample({"kind": "file", "path": name, "signal": signal})


def chosen_target(sample: Any, name: str, target: str | None) -> tuple[str, Any, Floats | None]:
    """Return name and scalarizer of a target, and the true map that the file holds, if that is the one meant.

    Without a target it is what is usual for the sample.
    """
    measured = hasattr(sample, "stored_truth")
    usual, scalarizer = MEASURED.get(Path(name).stem, (None, None)) if measured else (None, None)
    if usual is not None and target in (None, usual):
        return usual, scalarizer, sample.stored_truth()
    if target is None:
        usual = sample.default_target
        return str(usual["kind"]) if isinstance(usual, Mapping) else usual, usual, None
    return *parsed_target(target, str(sample.path) if measured else None, getattr(sample, "signal", None)), None


def parsed_target(text: str, file: str | None = None, signal: str | None = None) -> tuple[str, Any]:
    """Return name and scalarizer (as `get_scalarizer` takes it) of a target of the command line.

    Parameters
    ----------
    text : str
        A name; a name with parameters, windows with two dots; or the JSON of a scalarizer.
    file : str, optional
        Where `cosine` and `component` find what they compare with, unless the text says.
    signal : str, optional
        Spectrum image of that file, if it holds several.

    Raises
    ------
    ValueError
        If it is none of the three.

    Examples
    --------
    >>> parsed_target("net_counts:edge=828..856,background=780..824,fit=poisson")
    ('net_counts', {'kind': 'net_counts', 'edge': [828, 856], 'background': [780, 824], 'fit': 'poisson'})
    """
    described = _from_json(text) if text.lstrip().startswith("{") else _from_words(text)
    kind = described["kind"]
    instead = _COMPARING.get(kind)
    if instead is not None and file is not None and not {"file", *instead} & described.keys():
        described |= {"file": file} | ({} if signal is None else {"signal": signal})
    return str(kind), described if len(described) > 1 else kind


def _from_json(text: str) -> dict[str, Any]:
    try:
        described = json.loads(text)
    except ValueError as error:
        raise ValueError(f"--target {text}: no JSON: {error}") from error
    if "kind" not in described:
        raise ValueError(f"--target {text}: 'kind' must say which scalarizer")
    return dict(described)


def _from_words(text: str) -> dict[str, Any]:
    kind, _, rest = text.partition(":")
    described: dict[str, Any] = {"kind": kind.strip()}
    for part in rest.split(",") if rest else []:
        key, equals, value = (piece.strip() for piece in part.partition("="))
        if not key or not equals or not value:
            raise ValueError(
                f"--target {text}: expected name:key=value,key=value, a window as key=start..end, got {part!r}"
            )
        described[key] = _value(value)
    return described


def _value(text: str) -> Any:
    """Return the number, the window, the truth value, or the text.

    >>> [_value(text) for text in ("4", "-4..4.5", "5e-4", "false", "nmf", "../map.npz")]
    [4, [-4, 4.5], 0.0005, False, 'nmf', '../map.npz']
    """
    ends = re.fullmatch(r"(.*?\d\.?)\s*\.\.\s*(-?\.?\d.*)", text)
    if ends is not None:
        return [_value(end) for end in ends.groups()]
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, int | float | bool) else text


def _why(sample: Any, scalarizer: Any) -> str:
    """Return why the first pixel fails."""
    from bluesky_gp.scalarizers import evaluate, get_scalarizer

    return evaluate(get_scalarizer(scalarizer), sample.spectrum((0,) * len(sample.shape)), sample.axis)[1]
