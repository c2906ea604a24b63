import asyncio

from bluesky.plans import count
from ophyd.sim import det

from bluesky_gp.recording.recorder import calling_engine


def test_no_engine_is_found_where_none_calls():
    async def elsewhere():
        return calling_engine()

    assert calling_engine() is None
    assert asyncio.run(elsewhere()) is None


def test_the_engine_that_emits_a_document_is_found(RE):  # noqa: N803
    found = []
    RE.subscribe(lambda name, doc: found.append(calling_engine()))
    RE(count([det]))
    assert found == [RE] * 4
