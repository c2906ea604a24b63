"""Names of event keys that the tables of a store take, in place of those that they do not.

A key is the name of a column there: no parentheses, signs or quotes, a letter in front, at most 63 bytes
with what is put before it, no two that differ in capitals alone, and not ``time`` or ``seq_num``.
"""

import re
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any, Final

__all__ = ["NAMES", "SafeNames", "renamed"]

NAMES: Final = "_names_of_keys"
"""Key of a run's metadata: the keys of its events by the names that stand for them."""

_FORBIDDEN = re.compile(r"""['"`;%()=+\\]|--|/\*|\*/""")
_RESERVED = ("time", "seq_num")
_LONGEST = 60  # bytes: ts_ comes before it


class SafeNames(dict[str, str]):
    """The names that stand for keys of a run, by those keys; of keys that are taken as they are it has none."""

    def add(self, keys: Iterable[str]) -> None:
        """Take in the keys of a stream."""
        taken: set[str] = set()
        for key in keys:
            name = self.get(key) or _safe(key)
            if name.lower() in taken:
                name = f"{name[: _LONGEST - 9]}_{_digest(key)}"
            taken.add(name.lower())
            if name != key:
                self[key] = name


def _safe(key: str) -> str:
    name = _FORBIDDEN.sub("_", key)
    name = f"key_{name}" if not re.match("[a-zA-Z]", name) else f"{name}_" if name in _RESERVED else name
    if len(name.encode()) <= _LONGEST:
        return name
    return f"{name.encode()[: _LONGEST - 9].decode(errors='ignore')}_{_digest(key)}"


def _digest(key: str) -> str:
    return sha256(key.encode()).hexdigest()[:8]


def renamed(name: str, doc: Mapping[str, Any], names: Mapping[str, str]) -> Mapping[str, Any]:
    """Return a document with other names of the keys of events."""
    if not names:
        return doc
    by_key = {part: _with(doc[part], names) for part in _PARTS.get(name, ()) if part in doc}
    if "data_key" in doc:
        by_key["data_key"] = names.get(doc["data_key"], doc["data_key"])
    if name == "descriptor":
        by_key["object_keys"] = {
            device: [names.get(key, key) for key in keys] for device, keys in doc.get("object_keys", {}).items()
        }
    return {**doc, **by_key}


_PARTS = {"descriptor": ("data_keys",), "event": ("data", "timestamps", "filled")}


def _with(values: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {names.get(key, key): value for key, value in values.items()}
