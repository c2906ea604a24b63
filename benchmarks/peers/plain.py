"""No model: random pixels or a coarse grid, and interpolation between them."""

import numpy as np
from loop import Peer, serve
from scipy.interpolate import griddata
from skimage.restoration import inpaint_biharmonic


class Plain(Peer):
    """Random pixels; the variant names the interpolation."""

    packages = ("scipy", "scikit-image")

    def propose(self, num):
        """Return random pixels."""
        left = self.left()
        return self.rng.choice(left, min(num, len(left)), replace=False)

    def map(self):
        """Return the interpolated map."""
        return self.biharmonic() if self.variant.endswith("biharmonic") else self.cubic()

    def cubic(self):
        """Interpolate by cubic polynomials on triangles, outside of them by the nearest pixel."""
        known = self.places[self.pixels]
        inside = griddata(known, self.values, self.places, "cubic")
        return np.where(np.isnan(inside), griddata(known, self.values, self.places, "nearest"), inside)

    def biharmonic(self):
        """Fill what is missing with what bends least."""
        image = np.zeros(self.places.shape[0])
        image[self.pixels] = self.values
        missing = np.ones(len(image), dtype=bool)
        missing[self.pixels] = False
        return inpaint_biharmonic(image.reshape(self.shape), missing.reshape(self.shape)).ravel()


class CoarseGrid(Plain):
    """The regular grid of at most so many pixels, line by line; it is asked once."""

    starts_at_random = False

    def propose(self, num):
        """Return the grid."""
        share = np.sqrt(num / np.prod(self.shape))
        lines = [np.linspace(0, n - 1, int(n * share + 1e-9) * 2 + 1)[1::2].round().astype(int) for n in self.shape]
        grid = np.ravel_multi_index(np.meshgrid(*lines, indexing="ij"), self.shape).ravel()
        return grid[np.isin(grid, self.candidates)]


def make(shape, candidates, seed, variant):
    """Return what the variant names."""
    return (CoarseGrid if variant.startswith("grid") else Plain)(shape, candidates, seed, variant)


make.packages = Plain.packages  # type: ignore[attr-defined]

if __name__ == "__main__":
    serve(make)
