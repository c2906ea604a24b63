"""Tables in Markdown, and where they go."""

import os
import platform
from pathlib import Path

import numpy as np


def table(head, rows):
    """Return a table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def spread(values):
    """Return mean and standard error, NaN for what there is too little for."""
    mean = np.mean(values) if len(values) else np.nan
    return mean, np.std(values, ddof=1) / np.sqrt(len(values)) if len(values) > 1 else np.nan


def plus_minus(values, scale=1.0, digits=0):
    """Return "mean +- standard error"; bold where it is below zero by more than two of them."""
    mean, error = spread(values)
    if np.isnan(mean):
        return "-"
    text = f"{scale * mean:+.{digits}f}" + ("" if np.isnan(error) else f" ± {scale * error:.{digits}f}")
    return f"**{text}**" if mean + 2.0 * error < 0.0 else text


def machine():
    """Return the processor's name and Python's version."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    name = names[0] if names else platform.processor()
    return f"{name}, {os.cpu_count()} logical processors, Python {platform.python_version()}"


def write_section(file, name, text):
    """Replace what is between the marks of that name in `file`, or append it."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    old = file.read_text() if file.exists() else ""
    if begin not in old:
        old = f"{old.rstrip()}\n\n{begin}\n{end}\n".lstrip()
    before, rest = old.split(begin, 1)
    file.write_text(f"{before}{begin}\n{text}\n{end}{rest.split(end, 1)[1]}")
