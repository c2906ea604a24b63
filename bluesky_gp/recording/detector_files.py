"""Files that detectors write beside the events: whose folders may be read, and what is said where one cannot be."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

__all__ = ["EXTRA", "OUTSIDE", "REFUSED", "folder_of", "path_of", "reason"]

EXTRA = 'pip install "bluesky_gp[files]"'
OUTSIDE = "outside the readable storage area"
REFUSED = 424  # of a server that cannot read a file; of more than 499 clients ask again


def folder_of(name: str, doc: Mapping[str, Any]) -> Path | None:
    """Return the folder of the files that a (stream) resource names; None if they are on no disk, or at its root."""
    text = path_of(doc) if name == "stream_resource" and "uri" in doc else _old_path_of(doc)
    path = Path(text)
    if not path.is_absolute():
        return None
    folder = path if text.endswith("/") or path.is_dir() else path.parent
    return None if folder == Path(folder.anchor) else folder


def path_of(doc: Mapping[str, Any]) -> str:
    """Return the path of the file that a stream resource names; empty if it is on no disk."""
    url = urlsplit(str(doc["uri"]))
    return url2pathname(url.path) if url.scheme == "file" else ""


def _old_path_of(doc: Mapping[str, Any]) -> str:
    return f"{doc.get('root', '')}/{str(doc.get('resource_path', '')).lstrip('/')}"


def reason(error: BaseException, files: list[str]) -> str:
    """Return why the files of a detector cannot be read, and what to do."""
    paths = [unquote(urlsplit(uri).path) for uri in files]
    where = paths[0] if paths else "its file"
    status = getattr(getattr(error, "response", None), "status_code", 0)
    if status == REFUSED or status >= 500:
        return _of_server(error, where)
    if isinstance(error, ModuleNotFoundError):
        return f"{where} needs the package {error.name}: {EXTRA}"
    if paths and not Path(where).exists():
        return f"{where} is not there"
    if OUTSIDE in str(error):
        folder = str(Path(where).parent)
        return f"{where} was written in another session: open_catalog(..., readable=[{folder!r}]) reads that folder"
    return f"{where}: {type(error).__name__}: {error}"


def _of_server(error: Any, where: str) -> str:
    """Return why a server elsewhere cannot read a file: what is there here says nothing."""
    readable = f"bluesky-gp catalog serve FOLDER --readable {Path(where).parent}"
    if error.response.status_code != REFUSED:
        return (
            f"{where} is not read by the server, which does not say why ({error.response.status_code}): perhaps it may "
            f"not ({readable}), or has no reader ({EXTRA})"
        )
    answer = str(error.response.json().get("detail", ""))
    if OUTSIDE in answer:
        return f"{where} is in no folder that the server may read: {readable}"
    if answer.startswith("ModuleNotFoundError"):
        return f"{where} needs a package where the server runs, {answer.partition(': ')[2]}: {EXTRA}"
    return f"{where} is not read by the server: {answer}"
