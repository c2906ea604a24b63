"""Versions of the packages whose private parts are used here, compared once, when the first file that does is imported.

`pausing` knows private parts of bluesky, `tiled_writer` of bluesky-tiled-plugins and tiled, `session_end` of CPython;
nothing outside this folder knows any.
"""

import logging
import sys
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from packaging.version import Version

__all__ = ["TESTED", "check_versions", "private"]

logger = logging.getLogger("bluesky_gp.recording")

TESTED: Mapping[str, tuple[str, str]] = {
    "bluesky": ("1.14", "1.16"),
    "bluesky-tiled-plugins": ("2.0.12", "2.1"),
    "tiled": ("0.2.20", "0.3"),
    "Python": ("3.11", "3.14"),
}
"""The first version that works, and the first with which nobody has tried."""


def _installed(package: str) -> str:
    return ".".join(map(str, sys.version_info[:3])) if package == "Python" else version(package)


def check_versions(installed: Callable[[str], str] = _installed) -> None:
    """Compare what is installed with `TESTED`; say in the log what is newer.

    Raises
    ------
    ImportError
        If a package is missing or too old; the message says what to install.
    """
    for package, (first, end) in TESTED.items():
        try:
            found = installed(package)
        except PackageNotFoundError:
            raise ImportError(
                f"bluesky_gp records with {package}, which is not installed: {_advice(package)}"
            ) from None
        if Version(found) < Version(first):
            raise ImportError(f"bluesky_gp cannot record with {package} {found}, which is too old: {_advice(package)}")
        if Version(found) >= Version(end):
            logger.warning(
                "%s %s is newer than what bluesky_gp has been tried with: if runs do not reach the catalog, %s",
                package, found, _advice(package),
            )  # fmt: skip


def private(owner: object, name: str, package: str) -> Any:
    """Return a private part of `owner`.

    Raises
    ------
    ImportError
        If it has none of that name; the message says which version of `package` has.
    """
    if not hasattr(owner, name):
        raise ImportError(
            f"bluesky_gp needs {name} of {package}, which {_installed(package)} lacks: {_advice(package)}"
        )
    return getattr(owner, name)


def _advice(package: str) -> str:
    first, end = TESTED[package]
    if package == "Python":
        return f"it works with Python {first} or later, before {end}"
    return f"python -m pip install '{package}>={first},<{end}'"


check_versions()
