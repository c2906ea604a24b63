"""The overview image of a sample as an areaDetector serves it: a camera and its image plugin."""

from typing import Any

import numpy as np
from caproto.server import PVGroup, pvproperty

_LARGEST = 2**20  # pixels: 8 MB
_WAITING = 10  # images that are kept for a client that falls behind: caproto's 1000 of them would be 8 GB


def overview_of(sample: Any) -> Any:
    """Return the overview image of a sample; None if it has none, or one larger than Channel Access carries well."""
    try:
        image = np.asarray(sample.overview())
    except (AttributeError, ValueError):
        return None
    return image if image.ndim == 2 and image.size <= _LARGEST else None


def imager_class(image: Any) -> type[PVGroup]:
    """Return a camera that shows an image, shape ``(n_rows, n_cols)``, whenever it is told to acquire."""
    shown = np.asarray(image, dtype=np.float64)

    class ImagerOfSample(PVGroup):
        async def _acquire(self, instance: Any, value: int) -> int:
            if value:
                await self.data.write(shown.ravel())
                await self.counter.write(self.counter.value + 1)
            return 0

        acquire = pvproperty(value=0, name="cam1:Acquire", dtype=int, put=_acquire)
        counter = pvproperty(value=0, name="cam1:ArrayCounter_RBV", dtype=int, read_only=True)
        data = pvproperty(
            value=[0.0], name="image1:ArrayData", dtype=float, max_length=shown.size, read_only=True,
            max_subscription_backlog=_WAITING,
        )  # fmt: skip
        n_cols = pvproperty(value=shown.shape[1], name="image1:ArraySize0_RBV", dtype=int, read_only=True)
        n_rows = pvproperty(value=shown.shape[0], name="image1:ArraySize1_RBV", dtype=int, read_only=True)

    return ImagerOfSample
