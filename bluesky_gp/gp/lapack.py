"""LAPACK and BLAS that let other threads run: SciPy's own wrappers hold the interpreter, for 0.1 s at 1000 rows.

======  =================================================  ==================
symbol  meaning                                            shape
======  =================================================  ==================
K       symmetric, positive definite                       (m, m)
L       its lower Cholesky factor, laid out by columns     (m, m)
b       right-hand sides                                   (m,) or (m, k)
======  =================================================  ==================

They are the same routines of the same library, so that the numbers are the same bits, called by the addresses that
SciPy keeps for Cython; ctypes releases the interpreter's lock meanwhile.
"""

import ctypes
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.linalg import cython_blas, cython_lapack

from bluesky_gp.typing import Floats

_DOUBLE = 8  # bytes
_at = ctypes.byref
_ONE = ctypes.c_int64(1)


def _routine(module: Any, name: str) -> Callable[..., None]:
    """Return a routine of Fortran, all of whose arguments are pointers."""
    api, capsule = ctypes.pythonapi, module.__pyx_capi__[name]
    signature = ctypes.PYFUNCTYPE(ctypes.c_char_p, ctypes.py_object)(("PyCapsule_GetName", api))(capsule)
    address_of = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)
    address = address_of(("PyCapsule_GetPointer", api))(capsule, signature)
    return ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * signature.count(b"*"))(address)


_DPOTRF, _DPOTRI, _DPOTRS, _DLASET = (
    _routine(cython_lapack, name) for name in ("dpotrf", "dpotri", "dpotrs", "dlaset")
)
_DTRTRI, _DLAUUM = (_routine(cython_lapack, name) for name in ("dtrtri", "dlauum"))
_DTRSV, _DTRSM, _DTRMM, _DSYR = (_routine(cython_blas, name) for name in ("dtrsv", "dtrsm", "dtrmm", "dsyr"))
_UNDIVIDED = 64  # rows, up to which a triangle is inverted as it is
_STRIP = 256  # rows of a matrix that are transposed at once


def factor(K: Floats) -> Floats | None:
    """Return L; None if K is not positive definite."""
    return _factored(np.array(K, dtype=np.float64, order="F"))


def factor_of_rows(K: Floats) -> Floats | None:
    """Return the same for K that lies in memory row by row, and is lost: L takes its place, nothing is held twice."""
    K = np.ascontiguousarray(K, dtype=np.float64)
    for first in range(0, len(K), _STRIP):  # what is below the diagonal goes where it is when read column by column
        strip = slice(first, first + _STRIP)
        K[strip, strip] = K[strip, strip].T.copy()
        K[strip, first + _STRIP :] = K[first + _STRIP :, strip].T
    return _factored(K.T)


def _factored(L: Floats) -> Floats | None:
    """Factorise a matrix that is laid out by columns, where it lies."""
    m, info, zero = ctypes.c_int64(len(L)), ctypes.c_int64(), ctypes.c_double()
    _DPOTRF(b"L", _at(m), L.ctypes.data, _at(m), _at(info))
    if info.value:
        return None
    if len(L) > 1:  # above the diagonal K is left
        less, above = ctypes.c_int64(len(L) - 1), L.ctypes.data + _DOUBLE * len(L)
        _DLASET(b"U", _at(less), _at(less), _at(zero), _at(zero), above, _at(m))
    return L


def inverse(L: Floats) -> Floats:
    """Return the lower triangle of ``K^-1``, shape ``(m, m)``; above it is what L has there."""
    K = np.array(L, order="F")
    m, info = ctypes.c_int64(len(K)), ctypes.c_int64()
    _DPOTRI(b"L", _at(m), K.ctypes.data, _at(m), _at(info))
    return K


def quick_inverse(L: Floats) -> Floats:
    """Return the same in half the time and other roundings: LAPACK inverts a triangle column by column."""
    K = np.array(L, order="F")
    m, info = ctypes.c_int64(len(K)), ctypes.c_int64()
    _invert(K.ctypes.data, len(K), m)
    _DLAUUM(b"L", _at(m), K.ctypes.data, _at(m), _at(info))
    return K


def subtract_square(K: Floats, v: Floats) -> None:
    """Take ``v v^T`` off the lower triangle of K, laid out by columns, where it lies."""
    m, minus, v = ctypes.c_int64(len(v)), ctypes.c_double(-1.0), np.ascontiguousarray(v)
    _DSYR(b"L", _at(m), _at(minus), v.ctypes.data, _at(_ONE), K.ctypes.data, _at(m))


def solve(L: Floats, b: Floats) -> Floats:
    """Return ``K^-1 b``."""
    if b.ndim == 1:  # five times as fast as the solution for many right-hand sides
        return _divided(_divided(np.array(b, dtype=np.float64), L, b"N"), L, b"T")
    L, x = np.asfortranarray(L), np.array(b, dtype=np.float64, order="F")
    m, k, info = ctypes.c_int64(len(x)), ctypes.c_int64(x.shape[1]), ctypes.c_int64()
    _DPOTRS(b"L", _at(m), _at(k), L.ctypes.data, _at(m), x.ctypes.data, _at(m), _at(info))
    return x


def half(L: Floats, b: Floats) -> Floats:
    """Return ``L^-1 b``."""
    if b.ndim == 1:
        return _divided(np.array(b, dtype=np.float64), L, b"N")
    L, x = np.asfortranarray(L), np.array(b, dtype=np.float64, order="F")
    m, k, one = ctypes.c_int64(len(x)), ctypes.c_int64(x.shape[1]), ctypes.c_double(1.0)
    _DTRSM(b"L", b"L", b"N", b"N", _at(m), _at(k), _at(one), L.ctypes.data, _at(m), x.ctypes.data, _at(m))
    return x


def reduction(L: Floats, b: Floats) -> Floats:
    """Return ``diag(b^T K^-1 b)``, shape ``(k,)``, by a product with ``L^-1``: twice as fast as `half`."""
    root, x, one = np.array(L, order="F"), np.array(b, dtype=np.float64, order="F"), ctypes.c_double(1.0)
    m, k, info = ctypes.c_int64(len(x)), ctypes.c_int64(x.shape[1]), ctypes.c_int64()
    _DTRTRI(b"L", b"N", _at(m), root.ctypes.data, _at(m), _at(info))
    _DTRMM(b"L", b"L", b"N", b"N", _at(m), _at(k), _at(one), root.ctypes.data, _at(m), x.ctypes.data, _at(m))
    return np.asarray(np.einsum("ij,ij->j", x, x))


def reduction_of_rows(L: Floats, b: Floats) -> Floats:
    """Return the same for b that lies in memory row by row, and is lost: a quarter less time, as nothing is copied."""
    root, one = np.array(L, order="F"), ctypes.c_double(1.0)
    m, k = ctypes.c_int64(len(b)), ctypes.c_int64(b.shape[1])
    _invert(root.ctypes.data, len(b), m)
    _DTRMM(b"R", b"L", b"T", b"N", _at(k), _at(m), _at(one), root.ctypes.data, _at(m), b.ctypes.data, _at(k))
    return np.asarray(np.einsum("ij,ij->j", b, b))


def reduction_given(K: Floats, b: Floats, least: float) -> Floats | None:
    """Return the same for small K and b that lie row by row, and are lost; None if a squared pivot is below `least`.

    A solution for the unit matrix takes half the time of the routine for the inverse of L, which is for large ones.
    """
    m, k, info, one = ctypes.c_int64(len(b)), ctypes.c_int64(b.shape[1]), ctypes.c_int64(), ctypes.c_double(1.0)
    _DPOTRF(b"L", _at(m), K.ctypes.data, _at(m), _at(info))
    if info.value or not np.square(np.diagonal(K)).min() > least:
        return None
    root = np.eye(len(b))
    _DTRSM(b"L", b"L", b"N", b"N", _at(m), _at(m), _at(one), K.ctypes.data, _at(m), root.ctypes.data, _at(m))
    _DTRMM(b"R", b"L", b"T", b"N", _at(k), _at(m), _at(one), root.ctypes.data, _at(m), b.ctypes.data, _at(k))
    return np.asarray(np.einsum("ij,ij->j", b, b))


def _invert(at: int, n: int, stride: ctypes.c_int64) -> None:
    """Invert a lower triangle of n rows at an address, where it lies: two of half its size, and what is left."""
    rows, info, one, minus = ctypes.c_int64(n), ctypes.c_int64(), ctypes.c_double(1.0), ctypes.c_double(-1.0)
    if n <= _UNDIVIDED:
        _DTRTRI(b"L", b"N", _at(rows), at, _at(stride), _at(info))
        return
    first, rest = ctypes.c_int64(n // 2), ctypes.c_int64(n - n // 2)
    below, behind = at + _DOUBLE * (n // 2), at + _DOUBLE * (n // 2) * (stride.value + 1)
    _invert(at, first.value, stride)
    _invert(behind, rest.value, stride)
    _DTRMM(b"R", b"L", b"N", b"N", _at(rest), _at(first), _at(one), at, _at(stride), below, _at(stride))
    _DTRMM(b"L", b"L", b"N", b"N", _at(rest), _at(first), _at(minus), behind, _at(stride), below, _at(stride))


def _divided(x: Floats, L: Floats, transposed: bytes) -> Floats:
    """Return ``L^-1 x`` or ``L^-T x``, in the place of x."""
    L, m = np.asfortranarray(L), ctypes.c_int64(len(x))
    _DTRSV(b"L", transposed, b"N", _at(m), L.ctypes.data, _at(m), x.ctypes.data, _at(_ONE))
    return x
