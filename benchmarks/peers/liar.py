"""scikit-optimize: its Optimizer over two integers, constant liar for a batch, all else default."""

import numpy as np
from loop import Peer, serve
from skopt import Optimizer


class Liar(Peer):
    """It minimises, so it is told the negative values; it has no map of its own but its model's."""

    packages = ("scikit-optimize", "scikit-learn", "numpy")

    def __init__(self, shape, candidates, seed, variant):
        super().__init__(shape, candidates, seed, variant)
        self.optimizer = Optimizer([(0, n - 1) for n in self.shape], n_initial_points=1, random_state=seed)
        self.known = 0

    def fit(self, pixels, values):
        """Tell what is new."""
        super().fit(pixels, values)
        new = self.places[self.pixels[self.known :]].astype(int).tolist()
        self.optimizer.tell(new, (-self.values[self.known :]).tolist())
        self.known = len(pixels)

    def propose(self, num):
        """Ask for a batch."""
        asked = np.array(self.optimizer.ask(num))
        pixels = np.ravel_multi_index(asked.T, self.shape)
        return pixels[np.isin(pixels, self.candidates)]

    def map(self):
        """Return the mean of its latest model."""
        places = self.optimizer.space.transform(self.places.astype(int).tolist())
        return -self.optimizer.models[-1].predict(places)


if __name__ == "__main__":
    serve(Liar)
