"""A document as a line of text and back, every bit kept: the format of the journals (see `journal`)."""

import json
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

__all__ = ["LONGEST_LINE", "Document", "decode", "encode", "odd_key"]

Document = dict[str, Any]

LONGEST_LINE: Final = 2**30  # bytes, 100 maps of 1024 x 1024: a longer one is damage, and would fill the memory

_ARRAY: Final = "__ndarray__"
_KEY: Final = f'"{_ARRAY}":'.encode()


def encode(name: str, doc: Mapping[str, Any]) -> bytes:
    """Return the line of a document, newline included.

    Raises
    ------
    TypeError
        If the document holds something that is neither JSON, a mapping nor a numpy array or scalar of plain values.
    ValueError
        If the document uses the key by which the journal marks arrays, or is too long to be read back.
    """
    encoder = _Encoder(separators=(",", ":"))
    try:
        pieces = encoder.encode({"name": name, "doc": _with_arrays(doc)}).encode("ascii").split(_KEY)
    except TypeError as error:
        if (key := odd_key(doc)) is None or "keys must be" not in str(error):
            raise
        raise TypeError(f"A document has keys of text, got {key!r} ({type(key).__name__}) in a {name}") from error
    if len(pieces) != len(encoder.arrays) + 1:  # quotes inside a string are escaped, so only a key can look like this
        raise ValueError(f"A document may not have the key {_ARRAY!r}: rename it")
    # Put in afterwards, because json takes 16 ms to look for characters to escape in three maps of 512 x 512.
    line = [pieces[0]]
    for data, piece in zip(encoder.arrays, pieces[1:], strict=True):
        line += [_KEY, b'"', data, b'"', piece[1:]]
    if (size := sum(map(len, line)) + 1) > LONGEST_LINE:
        raise ValueError(f"A document may have {LONGEST_LINE} bytes, and this {name} has {size}: put it into a file")
    return b"".join([*line, b"\n"])


def _with_arrays(doc: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a document with the arrays of an event that says of its lists which arrays they are (``__array__``)."""
    data = doc.get("data")
    lists = {key: value for key, value in data.items() if isinstance(value, list)} if isinstance(data, dict) else {}
    arrays = {key: np.asarray(value) for key, value in lists.items() if hasattr(value, "__array__")}
    return {**doc, "data": {**doc["data"], **arrays}} if arrays else doc


def odd_key(value: Any) -> Any:
    """Return a key in a document that is no text; None if there is none."""
    if isinstance(value, Mapping):
        own = [key for key in value if not isinstance(key, str)]
        return own[0] if own else _first_odd(value.values())
    return _first_odd(value) if isinstance(value, list | tuple) else None


def _first_odd(values: Iterable[Any]) -> Any:
    return next((key for key in map(odd_key, values) if key is not None), None)


def decode(line: bytes) -> tuple[str, Document]:
    """Return name and document of a line; raises ValueError if it is not one."""
    try:
        value = json.loads(line, object_hook=_restore)
        name, doc = value["name"], value["doc"]
    except Exception as error:  # json and numpy raise eight kinds at what was made to harm
        raise ValueError(f"not a document: {error!r}") from error
    if not isinstance(name, str) or not isinstance(doc, dict):
        raise ValueError("not a document: a name and a mapping are expected")
    return name, doc


class _Encoder(json.JSONEncoder):
    """JSON with a 0 in the place of each array's data; `arrays` has their base64 in the same order."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.arrays: list[bytes] = []

    def default(self, o: Any) -> Any:
        if isinstance(o, Mapping):
            return dict(o)
        if isinstance(o, complex):
            o = np.complex128(o)
        if not isinstance(o, np.ndarray | np.generic):
            raise TypeError(
                f"The journal takes JSON values and numpy arrays, not {type(o).__name__} ({o!r:.80}): "
                "convert it where it is put into the document"
            )
        array = _plain(np.asanyarray(o))
        self.arrays.append(b64encode(array.tobytes()))
        return {
            _ARRAY: 0,
            "dtype": np.lib.format.dtype_to_descr(array.dtype),
            "shape": None if isinstance(o, np.generic) else array.shape,
        }


def _plain(value: npt.NDArray[Any]) -> npt.NDArray[Any]:
    if isinstance(value, np.ma.MaskedArray):
        value = _filled(value)
    if value.dtype.hasobject:
        raise TypeError(
            f"The journal takes no array of dtype {value.dtype}: make it numbers, booleans or plain strings"
        )
    return value


def _filled(value: np.ma.MaskedArray[Any, Any]) -> npt.NDArray[Any]:
    """Return numbers with NaN where they are masked, which is how an agent takes them: they are missing."""
    if not np.ma.is_masked(value):
        return np.asarray(value.data)
    if value.dtype.kind not in "biufc":
        raise TypeError(f"The journal takes no masked array of dtype {value.dtype}: give its data, or fill it")
    numbers = np.array(value.data, dtype=np.result_type(value.dtype, np.float16))
    numbers[np.ma.getmaskarray(value)] = np.nan
    return numbers


def _restore(value: Document) -> Any:
    return _array(value) if _ARRAY in value else value


def _array(value: Document) -> Any:
    """Return the array, read-only, or the numpy scalar, that the encoder described."""
    dtype = np.lib.format.descr_to_dtype(_tuples(value["dtype"]))
    if dtype.hasobject:
        raise ValueError("an array of objects is not read back")
    shape = value["shape"]
    data = b64decode(value[_ARRAY], validate=True)
    array: npt.NDArray[Any] = np.ndarray(tuple(shape or ()), dtype, buffer=data)
    if array.nbytes != len(data):
        raise ValueError(f"{len(data)} bytes are no array of shape {shape} and dtype {dtype}")
    return array[()] if shape is None else array


def _tuples(descr: Any) -> Any:
    """Undo what JSON does to the description of a structured dtype, a list of (name, type, shape)."""
    if not isinstance(descr, list):
        return descr
    return [(field[0], _tuples(field[1]), *(tuple(shape) for shape in field[2:])) for field in descr]
