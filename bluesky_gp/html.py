"""Objects as notebooks show them: a table of a few rows.

>>> html_table("PixelGrid", {"shape": (2, 3)})
'<table><caption>PixelGrid</caption><tr><th>shape</th><td>(2, 3)</td></tr></table>'
"""

from collections.abc import Mapping
from html import escape


def html_table(title: str, rows: Mapping[str, object]) -> str:
    """Return a table, one row an entry; entries of None are left out."""
    told = {name: value for name, value in rows.items() if value is not None}
    body = "".join(f"<tr><th>{escape(name)}</th><td>{escape(str(value))}</td></tr>" for name, value in told.items())
    return f"<table><caption>{escape(title)}</caption>{body}</table>"
