"""A session that measures a map, slowly enough for people to steer it: python steered_session.py FOLDER NUM REVIEW."""

import sys
from pathlib import Path

from view_runs import Setup, engine

from bluesky_gp.recording import open_catalog


def main(folder, num, review):
    setup = Setup(shape=(20, 20), exposure=0.04, batch_size=5, n_initial=5)
    RE = engine()  # noqa: N806
    with open_catalog(folder) as catalog:
        RE.subscribe(catalog.writer)
        RE(setup.map(num, **({"review": True} if review else {})))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "review")
