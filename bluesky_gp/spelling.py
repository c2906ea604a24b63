"""Names as people give them, of settings and of choices: one that there is not is answered with what may be meant."""

import inspect
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from typing import Any


def meant(name: Any, known: Iterable[str]) -> str:
    """Return the question for the name that is probably meant, to end a sentence with; "" where none is near.

    Examples
    --------
    >>> meant("net_count", ["net_counts", "peak"])
    "; did you mean 'net_counts'?"
    """
    near = get_close_matches(str(name), list(known), 1)
    return f"; did you mean {near[0]!r}?" if near else ""


def misspelt(given: Iterable[str], known: Iterable[str], also: Iterable[str] = ()) -> str:
    """Return what is wrong with the names of settings, "" if each is known.

    Parameters
    ----------
    given, known : iterable of str
        Names that came, and those that there are.
    also : iterable of str, optional
        Names that are taken as well, and are not listed.

    Examples
    --------
    >>> misspelt({"lines": [1, 2]}, ["line", "below"])
    "there is no setting 'lines', there are line, below; did you mean 'line'?"
    """
    known, also = list(known), list(also)
    unknown = [name for name in given if name not in (*known, *also)]
    if not unknown:
        return ""
    return f"there is no setting {unknown[0]!r}, {_listed(known)}{meant(unknown[0], [*known, *also])}"


def unfit(function: Callable[..., Any], given: Iterable[str], also: Iterable[str] = ()) -> str:
    """Return why plain data cannot be the settings of a function or class, "" if it can: one is unknown, or is missing.

    Parameters
    ----------
    function : callable
        Its parameters are the names that there are; those without a default must be given.
    given, also : iterable of str
        As for `misspelt`.

    Examples
    --------
    >>> unfit(lambda grid, axes=(): None, {"grid": [9, 9], "axis": []})
    "there is no setting 'axis', there are grid, axes; did you mean 'axes'?"
    >>> unfit(lambda grid, axes=(): None, {})
    "'grid' is missing, there are grid, axes"
    """
    given, known = list(given), settings_of(function)
    parameters = inspect.signature(function).parameters
    lacking = [name for name in known if parameters[name].default is inspect.Parameter.empty and name not in given]
    missing = f"{' and '.join(map(repr, lacking))} {'are' if len(lacking) > 1 else 'is'} missing"
    return misspelt(given, known, also) or (f"{missing}, {_listed(known)}" if lacking else "")


def settings_of(function: Callable[..., Any]) -> list[str]:
    """Return the names of the parameters that a function or class takes by name."""
    parameters = inspect.signature(function).parameters.values()
    return [each.name for each in parameters if each.kind in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY)]


def _listed(known: list[str]) -> str:
    return f"there are {', '.join(known) or 'none'}"
