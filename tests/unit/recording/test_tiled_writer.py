"""The plugin's writer of a run, of whose private parts ours is made."""

import inspect
from types import SimpleNamespace

import pytest

from bluesky_gp.recording.tiled_writer import BatchWriter


def test_the_private_parts_of_the_writer_are_what_recording_uses():
    """If this fails, bluesky-tiled-plugins changed: look at tiled_writer.py."""
    writer = BatchWriter(None)
    plugin = type(writer).__mro__[1]
    assert writer._internal_data_cache == {}
    assert writer._external_data_cache == {}
    assert writer._desc_nodes == {}
    assert list(inspect.signature(plugin._write_internal_data).parameters) == ["self", "data_cache", "desc_node"]  # type: ignore[attr-defined]
    assert list(inspect.signature(plugin._internal_dims).parameters) == ["self", "desc_name", "shape"]  # type: ignore[attr-defined]
    assert list(inspect.signature(plugin._write_external_data).parameters) == ["self", "doc"]  # type: ignore[attr-defined]
    assert list(inspect.signature(plugin._append_with_retry).parameters) == ["self", "df_client", "table", "desc_name"]  # type: ignore[attr-defined]


@pytest.mark.parametrize("connection, told", [({}, ["run"]), ({"app": "a server inside this process"}, [])])
def test_the_end_of_a_run_is_told_to_a_server_and_not_to_the_one_inside_this_process(connection, told):
    closed = []
    writer = BatchWriter(SimpleNamespace(context=SimpleNamespace(http_client=SimpleNamespace(**connection))))
    writer.root_node = SimpleNamespace(
        uri="run", update_metadata=lambda **metadata: None, close_stream=lambda: closed.append("run")
    )
    writer.stop({"run_start": "run", "exit_status": "success"})
    assert closed == told
