"""The agent: which number it maps, and how it chooses."""

from bluesky_gp import ExpectedImprovement, GPAgent, PixelOptimizer

optimizer = PixelOptimizer(grid, target="loop_area", acquisition=ExpectedImprovement(), batch_size=10, seed=0)  # noqa: F821
agent = GPAgent(optimizer, target="spectrometer_loop_area", name="gp", catalog=catalog)  # noqa: F821
