"""Dimensions of arrays in a catalog, named as the descriptor of their stream names them."""

from collections.abc import Mapping
from typing import Any


class NamedDimensions:
    """A node of a stream in which arrays are written with the names of dimensions that their data keys have.

    The writer of the plugin numbers them by size, ``dim_int_1``, and a map comes back without row and col.

    Parameters
    ----------
    node : Container
        Tiled's client of the stream.
    sizes : dict
        Sizes of the dimensions of the stream that have a name already: one that comes in two sizes could not be read.
    taken : Mapping
        The keys of the stream, none of which can name a dimension of another.
    """

    def __init__(self, node: Any, sizes: dict[str, int], taken: Mapping[str, Any]) -> None:
        self._node = node
        self._sizes = sizes
        self._taken = taken

    def __getattr__(self, name: str) -> Any:
        return getattr(self._node, name)

    def write_array(self, array: Any, *, metadata: Mapping[str, Any], dims: tuple[str, ...], **options: Any) -> Any:
        """Write an array."""
        names = tuple(metadata.get("dims") or ())
        fits = (
            len(names) == array.ndim - 1 and len({"time", *names}) == array.ndim and not self._taken.keys() & {*names}
        )
        sizes = dict(zip(names, array.shape[1:], strict=False))
        if fits and all(self._sizes.get(name, size) == size for name, size in sizes.items()):
            self._sizes.update(sizes)
            dims = ("time", *names)
        return self._node.write_array(array, metadata=metadata, dims=dims, **options)
