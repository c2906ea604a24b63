"""``python -m bluesky_gp.cli``, which is ``bluesky-gp``."""

from bluesky_gp.cli import main

main()
