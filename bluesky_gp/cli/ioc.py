"""``bluesky-gp ioc``: the simulated microscope over Channel Access."""

import asyncio
import contextlib
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any

import click

from bluesky_gp.cli.channel_access import LOOPBACK, client_environment, is_free, repeater_port, server_environment
from bluesky_gp.cli.targets import SIGNAL_HELP, SYNTHETIC, sample_of
from bluesky_gp.grid import PixelGrid

if TYPE_CHECKING:
    from bluesky_gp.devices.ioc import SimulatedInstrument

_NUMBER = click.FloatRange(0)


@click.command()
@click.option("--sample", default="ferroelectric", help="ferroelectric, eels, or a FILE of measured spectra (.npz).")
@click.option("--signal", help=SIGNAL_HELP)
@click.option("--shape", type=click.IntRange(1), nargs=2, help="Rows and columns.  [default: 50 50, or the file's]")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of a synthetic sample.")
@click.option("--prefix", default="stem:", show_default=True, help="Of all process variables.")
@click.option("--motors", nargs=2, default=("y", "x"), show_default=True, help="Motor records: rows, columns.")
@click.option("--detector", default="det:", show_default=True, help="Of the detector's variables, after the prefix.")
@click.option("--step", type=float, nargs=2, default=(0.02, 0.02), show_default=True, help="Of the pixels, in units.")
@click.option("--origin", type=float, nargs=2, default=(0.0, 0.0), show_default=True, help="Position of pixel (0, 0).")
@click.option("--rotation", type=float, default=0.0, show_default=True, help="Of the rows and columns, degrees.")
@click.option("--units", default="um", show_default=True, help="Of the motors.")
@click.option("--velocity", type=_NUMBER, default=100.0, show_default=True, help="Units a second; 0: at once.")
@click.option("--settle", type=_NUMBER, default=0.0, show_default=True, help="Seconds from arrival to DMOV.")
@click.option("--backlash", type=_NUMBER, default=0.0, show_default=True, help="Lost motion, in units.")
@click.option("--exposure", type=_NUMBER, default=0.01, show_default=True, help="Seconds, at the start.")
@click.option("--port", type=click.IntRange(1024, 65535), default=5064, show_default=True, help="Channel Access port.")
@click.option("--interface", default=LOOPBACK, show_default=True, help="Address to serve at; 0.0.0.0: the network's.")
@click.option("--until-stdin-ends", is_flag=True, hidden=True, help="End when the process that started it does.")
def ioc(
    sample: str,
    signal: str | None,
    shape: tuple[int, int] | None,
    seed: int,
    port: int,
    interface: str,
    until_stdin_ends: bool,
    **how: Any,
) -> None:
    """Serve a simulated microscope over EPICS Channel Access: motor records and a spectroscopy detector.

    For tests, training, and operator screens. Nothing outside this machine sees it unless --interface says so.
    """
    if not is_free(interface, port):
        raise click.UsageError(f"{interface}, port {port} is in use, by another IOC perhaps: choose one with --port")
    os.environ.update(server_environment(port, interface))
    try:
        instrument = _instrument(sample, signal, shape or None, seed, **how)
        variables = instrument.process_variables()
    except (ValueError, TypeError, OSError) as error:
        raise click.UsageError(str(error)) from error
    click.echo("\n".join(_introduction(sample, instrument, port, interface)))
    asyncio.run(_serve(variables, interface, until_stdin_ends))


def _instrument(
    sample: str,
    signal: str | None,
    shape: tuple[int, int] | None,
    seed: int,
    step: tuple[float, float],
    origin: tuple[float, float],
    rotation: float,
    units: str,
    **how: Any,
) -> "SimulatedInstrument":
    from bluesky_gp.devices.sim import make_sample

    try:
        from bluesky_gp.devices.ioc import SimulatedInstrument
    except ImportError as error:
        raise ValueError(f"the IOC needs caproto: pip install 'bluesky_gp[epics]' ({error})") from error

    if sample in SYNTHETIC and signal is None:
        made = make_sample({"kind": sample, "shape": shape or (50, 50), "seed": seed})
    elif shape is not None:
        raise ValueError("--shape is for synthetic samples, a file has its own")
    else:
        made = sample_of(sample, signal)
    grid = PixelGrid(made.shape, step=step, origin=origin, rotation=rotation, units=units)
    return SimulatedInstrument(made, grid, **how)


def _introduction(name: str, instrument: "SimulatedInstrument", port: int, interface: str) -> list[str]:
    grid, prefix, detector = instrument.grid, instrument.prefix, instrument.detector
    rows = " x ".join(str(n) for n in grid.shape)
    limits = ", ".join(f"{low:g} to {high:g}" for low, high in instrument.limits)
    at = LOOPBACK if interface == "0.0.0.0" else interface  # noqa: S104 - not bound here, only said
    variables = " ".join(f"{key}={value}" for key, value in _client(port, at).items())
    return [
        f"{name}: {rows} pixels of {' x '.join(f'{s:g}' for s in grid.step)} {grid.units}, "
        f"served at {interface}, port {port}; Ctrl-C ends it",
        f"  motor records   {'  '.join(prefix + m for m in instrument.motors)}   (limits {limits} {grid.units})",
        f"  detector        {prefix}{detector}Acquire  Acquire_RBV  AcquireTime  ArrayCounter_RBV  DetectorState_RBV",
        f"                  {prefix}{detector}Spectrum_RBV  Axis_RBV  Target_RBV",
        "To connect, in another terminal, before Python starts:",
        f"  export {variables}",
        "and then, in Python:",
        "  from bluesky_gp.devices.epics import EpicsSpectrometer, EpicsStage",
        f"  stage = EpicsStage({prefix!r}, grid={_short(grid)}, motors={list(instrument.motors)}, name='stage')",
        f"  spectrometer = EpicsSpectrometer({prefix + detector!r}, scalarizers="
        f"{[instrument.sample.default_target]}, name='spectrometer')",
    ]


def _client(port: int, interface: str) -> dict[str, str]:
    return client_environment(port, interface, repeater_port(os.environ))


def _short(grid: PixelGrid) -> dict[str, Any]:
    """Return what of a grid is not the default."""
    plain = PixelGrid(grid.shape).to_mapping()
    return {key: value for key, value in grid.to_mapping().items() if key == "shape" or value != plain[key]}


async def _serve(variables: dict[str, Any], interface: str, until_stdin_ends: bool) -> None:
    """Serve until the process is told to end."""
    from bluesky_gp.devices.ioc import serve

    loop, serving = asyncio.get_running_loop(), asyncio.current_task()
    if serving is None:
        raise RuntimeError("the IOC is served by a task")
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # Windows: Ctrl-C is a KeyboardInterrupt there
            loop.add_signal_handler(number, serving.cancel)
    if until_stdin_ends:
        threading.Thread(target=_watch, args=(loop, serving), daemon=True).start()
    await serve(variables, [interface], repeater_port=repeater_port(os.environ))


def _watch(loop: asyncio.AbstractEventLoop, serving: "asyncio.Task[Any]") -> None:
    sys.stdin.read()
    loop.call_soon_threadsafe(serving.cancel)
