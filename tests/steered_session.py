"""A session that measures a map, slowly enough for people to steer it.

python steered_session.py PLACE NUM REVIEW [EXPOSURE]
"""

import sys

from view_runs import Setup, engine

from bluesky_gp.recording import open_catalog


def main(place, num, review, exposure=0.04):
    setup = Setup(shape=(20, 20), exposure=exposure, batch_size=5, n_initial=5)
    RE = engine()  # noqa: N806
    with open_catalog(place) as catalog:
        RE.subscribe(catalog.writer)
        RE(setup.map(num, **({"review": True} if review else {})))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3] == "review", *map(float, sys.argv[4:]))
