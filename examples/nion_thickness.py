"""Map the thickness of a specimen (t/lambda) on a Nion microscope, here its simulator.

    python examples/nion_thickness.py

Inside Nion Swift leave `usim` out: the devices find the microscope by themselves.
"""

import bluesky.preprocessors as bpp
from bluesky import RunEngine

from bluesky_gp import GPAgent, PixelOptimizer
from bluesky_gp.devices.nion import NionControl, NionEELSDetector, NionOverview, NionScanStage
from bluesky_gp.devices.nion.simulator import usim
from bluesky_gp.masks import below, masked
from bluesky_gp.plans import adaptive_map, go_to_best
from bluesky_gp.plots import grid_on_image


def main(num: int = 100, exposure: float = 0.01, picture: str = "overview.png") -> None:
    """Measure `num` pixels, `exposure` seconds each, where the specimen is."""
    RE = RunEngine({})  # noqa: N806
    with usim() as simulator:
        overview = NionOverview(name="haadf", pixel_time_us=10)
        overview.trigger().wait(60)
        image, lattice = overview.image.get(), overview.image_grid

        whole = NionScanStage(shape=(30, 30), name="stage").grid
        grid = masked(whole, below(image, 4.0, whole, lattice))  # vacuum is not worth the dose
        grid_on_image(image, grid, lattice, label="HAADF").figure.savefig(picture)

        stage = NionScanStage(grid=grid, name="stage")
        detector = NionEELSDetector(name="eels", exposure=exposure, scalarizers="thickness", blank_between=True)
        optimizer = PixelOptimizer(grid, target="thickness")
        agent = GPAgent(optimizer, target="eels_thickness")

        around = [  # read before and after, into the stream `baseline`
            overview,
            NionControl("BeamCurrent", units="A", name="beam_current"),
            NionControl("stage_position_m.x", units="m", name="specimen_x"),
            NionControl("stage_position_m.y", units="m", name="specimen_y"),
        ]
        RE(bpp.baseline_wrapper(adaptive_map([detector], stage, agent, num=num), around))
        RE(go_to_best(stage, agent))  # the beam stays blanked

        best = optimizer.best
        truth = simulator.thickness(grid)[best["row"], best["col"]]
        print(f"thickest at row {best['row']}, col {best['col']}: {best['thickness']:.2f}, in truth {truth:.2f}")


if __name__ == "__main__":
    main()
