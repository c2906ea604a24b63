"""How the figures of the two lectures look: readable in print, also in grey."""

import matplotlib.pyplot as plt
import numpy as np

UNIT = "V pm"
STYLE = {
    "figure.dpi": 100,
    "figure.constrained_layout.use": True,
    "font.size": 12,
    "axes.titlesize": 12,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.fontsize": 11,
    "lines.linewidth": 1.8,
    "svg.fonttype": "path",
}
INK, ACCENT, BAND = "0.1", "#b2182b", "0.82"  # print: black, dark grey, light grey
plt.rcParams.update(STYLE)


def panels(n_rows=1, n_cols=1, *, width=9.0, height=2.6, **options):
    """Panels of one figure, `height` inches each, with the axes shared."""
    options = {"sharex": True, "sharey": "row"} | options
    figure, axes = plt.subplots(n_rows, n_cols, figsize=(width, height * n_rows), squeeze=False, **options)
    return axes if n_rows > 1 and n_cols > 1 else axes.ravel()


def band(panel, x, mean, std, label="posterior mean", *, width=2.0):
    """A mean, and `width` standard deviations on either side of it."""
    panel.fill_between(x, mean - width * std, mean + width * std, color=BAND, linewidth=0, label="± 2 std")
    panel.plot(x, mean, color=INK, label=label)


def truth(panel, x, values):
    """What nobody at the microscope knows."""
    panel.plot(x, values, color=ACCENT, linestyle=(0, (4, 2)), linewidth=1.4, label="truth")


def points(panel, x, values, label="measured"):
    """Measured values."""
    panel.plot(x, values, "o", markersize=6, markerfacecolor="white", markeredgecolor=INK, markeredgewidth=1.5,
               label=label, zorder=5)  # fmt: skip


def mark(panel, x, value, label="next"):
    """The place chosen."""
    panel.axvline(x, color=ACCENT, linewidth=1.2, linestyle=":")
    panel.plot([x], [value], "v", markersize=9, color=ACCENT, label=label, zorder=6)


def legend_above(panel):
    """The legend of a panel in one line above the figure, where it hides nothing."""
    handles, labels = panel.get_legend_handles_labels()
    once = dict(zip(labels, handles, strict=True))
    panel.figure.legend(once.values(), once.keys(), loc="outside upper left", ncols=len(once), frameon=False)


def contours(panel, mean, covariance):
    """Ellipses of one, two and three standard deviations of a Gaussian of two variables."""
    angle = np.linspace(0.0, 2.0 * np.pi, 200)
    circle = np.linalg.cholesky(covariance) @ np.stack([np.cos(angle), np.sin(angle)])
    for radius, style in ((1, "-"), (2, "--"), (3, ":")):
        panel.plot(*(np.asarray(mean)[:, None] + radius * circle), color=INK, linestyle=style, linewidth=1.4)
