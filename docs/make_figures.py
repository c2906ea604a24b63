"""Make the figures of the README and the documentation.

python docs/make_figures.py
"""

from pathlib import Path
from typing import Any

import numpy as np
from bluesky import RunEngine
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bluesky_gp.cli.demo import default_number, make_agent
from bluesky_gp.cli.instruments import simulated
from bluesky_gp.devices import SyntheticEELS, SyntheticFerroelectric
from bluesky_gp.live import LiveReader, draw
from bluesky_gp.plans import adaptive_map
from bluesky_gp.plots import run_figure
from bluesky_gp.run import RunRecord
from bluesky_gp.scalarizers import NetCounts, get_scalarizer, power_law, scalarized_map, split, units_of

FIGURES = Path(__file__).parent / "figures"


def demo() -> None:
    """Draw the run of ``bluesky-gp demo``."""
    documents = []
    engine = RunEngine({})
    engine.subscribe(lambda name, doc: documents.append((name, doc)))
    with simulated("ferroelectric", None) as setup:
        agent = make_agent(setup, batch=10, acquisition="ei", kernel="default", seed=0)
        engine(adaptive_map([setup.detector], setup.stage, agent, num=default_number(setup)))
        figure = run_figure(RunRecord.from_documents(documents), truth=setup.truth)
    figure.savefig(FIGURES / "demo.png", dpi=100)


def live() -> None:
    """Draw the maps that are shown while that run goes on, after three quarters of it."""
    documents: list[tuple[str, dict[str, Any]]] = []
    engine = RunEngine({})
    engine.subscribe(lambda name, doc: documents.append((name, doc)))
    with simulated("ferroelectric", None) as setup:
        agent = make_agent(setup, batch=10, acquisition="ei", kernel="default", seed=0)
        engine(adaptive_map([setup.detector], setup.stage, agent, num=200))
    reader = LiveReader()
    for name, doc in documents[: 3 * len(documents) // 4]:
        reader(name, doc)
    figure = Figure(figsize=(13, 7.2), layout="constrained")
    draw(reader.so_far, figure)
    figure.savefig(FIGURES / "live.png", dpi=100)


def targets() -> None:
    """Draw a loop and a spectrum, what is read off them, and maps of it."""
    film, layers = SyntheticFerroelectric(failed=0.0), SyntheticEELS(shape=(30, 30))
    figure = Figure(figsize=(14, 6.6), layout="constrained")
    (loop, *loops), (spectrum, *spectra) = figure.subplots(2, 4, width_ratios=[1.4, 1, 1, 1])
    _annotated_loop(loop, film)
    _shaded_spectrum(spectrum, layers)
    for panel, target in zip(loops, ("loop_area", "coercive_voltage", "imprint"), strict=True):
        _target_map(panel, film, target)
    for panel, target in zip(spectra, ("net_counts", "thickness", "plasmon_energy"), strict=True):
        _target_map(panel, layers, target)
    figure.savefig(FIGURES / "targets.png", dpi=100)


def _target_map(panel: Axes, sample: Any, target: str) -> None:
    scalarizer = get_scalarizer(target)
    spectra = np.array([sample.spectrum(pixel) for pixel in np.ndindex(sample.shape)])
    values = scalarized_map(scalarizer, spectra.reshape(*sample.shape, -1), sample.axis)
    units = units_of(scalarizer, sample.spectrum_units, sample.axis_units)
    image = panel.imshow(values, vmin=np.nanquantile(values, 0.01), vmax=np.nanquantile(values, 0.99))
    panel.figure.colorbar(image, ax=panel, label=units or "t/lambda", shrink=0.85)
    panel.set(title=target, xlabel="col", ylabel="row")


def _annotated_loop(panel: Axes, film: SyntheticFerroelectric) -> None:
    bias, response = film.axis, film.spectrum((25, 25))
    branches = split(response, bias)
    rising, falling = branches.rising.crossing(0.0), branches.falling.crossing(0.0)
    up, down = branches.falling.at(0.0), branches.rising.at(0.0)
    panel.fill(bias, response, color="tab:blue", alpha=0.12, label="loop_area")
    panel.plot(np.append(bias, bias[0]), np.append(response, response[0]), ".-", color="tab:blue", linewidth=1)
    panel.axhline(0, color="0.6", linewidth=0.8)
    panel.axvline(0, color="0.6", linewidth=0.8)
    panel.plot([falling, rising], [0, 0], "s-", color="tab:red", label="2 x coercive_voltage")
    panel.plot(0.5 * (rising + falling), 0, "D", color="tab:orange", markersize=9, label="imprint")
    panel.plot([0, 0], [down, up], "^-", color="tab:green", label="2 x remanent_response")
    for level in branches.saturation():
        panel.axhline(level, color="tab:purple", linestyle=":", label="saturation" if level > 0 else None)
    panel.set(xlabel="bias (V)", ylabel="response (pm)", title="a loop", ylim=(-85, 34))
    panel.legend(fontsize="x-small", loc="lower center")


def _shaded_spectrum(panel: Axes, layers: SyntheticEELS) -> None:
    energy, counts = layers.axis, layers.spectrum((5, 5))
    target = NetCounts()
    before, behind = ((energy >= start) & (energy < end) for start, end in (target.background, (400.0, 500.0)))
    background = power_law(energy[before], counts[before], target.fit)
    shown = (energy > 380) & (energy < 500)
    panel.plot(energy[shown], counts[shown], color="tab:blue", linewidth=1)
    panel.plot(energy[behind], background.at(energy[behind]), "--", color="tab:red", label="power law")
    panel.axvspan(*target.background, color="tab:orange", alpha=0.2, label="background")
    panel.axvspan(*target.edge, color="tab:green", alpha=0.2, label="edge")
    panel.set(xlabel="energy (eV)", ylabel="counts", title="a spectrum, and net_counts")
    panel.legend(fontsize="small")


if __name__ == "__main__":
    demo()
    live()
    targets()
