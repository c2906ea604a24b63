"""Make the figures of the README and the documentation.

python docs/make_figures.py
"""

from pathlib import Path

from bluesky import RunEngine

from bluesky_gp.cli.demo import default_number, make_agent
from bluesky_gp.cli.instruments import simulated
from bluesky_gp.plans import adaptive_map
from bluesky_gp.plots import run_figure
from bluesky_gp.record import RunRecord

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


if __name__ == "__main__":
    demo()
