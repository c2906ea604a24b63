"""Objects that a record has only the name of, given on the command line: ``--given NAME=MODULE:OBJECT``."""

import re
import sys
from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

ANY = ("acquisition", "mean", "transform", "kernel", "batch", "initial", "scalarizer")


def given_option(*names: str) -> Callable[[F], F]:
    """Give a command the option ``--given`` for objects of these names, its argument `given`."""

    def parse(context: click.Context, option: click.Parameter, words: Iterable[str]) -> dict[str, Any]:
        return dict(_given(word, names) for word in words)

    return click.option(
        "--given",
        multiple=True,
        callback=parse,
        metavar="NAME=MODULE:OBJECT",
        help=f"What the record has only the name of: {', '.join(names)}.",
    )


def _given(word: str, names: tuple[str, ...]) -> tuple[str, Any]:
    """Import what the user names, from where the command is run too."""
    name, equals, place = word.partition("=")
    module, colon, attribute = place.partition(":")
    if not (equals and colon):
        raise click.UsageError(f"--given {word}: expected NAME=MODULE:OBJECT, as in {names[0]}=my_functions:mine")
    if name not in names:
        raise click.UsageError(f"--given {word}: expected one of {', '.join(names)}, got {name!r}")
    sys.path.insert(0, "")
    try:
        return name, getattr(import_module(module), attribute)
    except (AttributeError, ImportError, ValueError) as error:
        raise click.UsageError(f"--given {word}: {error}") from error
    finally:
        sys.path.remove("")


def told(error: Exception) -> str:
    """Return the message of an error, what it asks to be given as the command line takes it."""
    return re.sub(r"give it, (\w+)=\.\.\.", r"give it with --given \1=MODULE:OBJECT", str(error))
