"""Objects that show themselves, in a session and in a notebook."""

import numpy as np
import pytest

from bluesky_gp import GPAgent, PixelGrid, PixelOptimizer
from bluesky_gp.devices import PixelStage, SyntheticEELS, SyntheticFerroelectric
from bluesky_gp.html import html_table
from bluesky_gp.run import RunRecord


def test_what_is_shown_cannot_be_markup():
    assert "<b>" not in html_table("<b>", {"<b>": "<b>"})


def test_a_grid_tells_where_it_lies():
    mask = np.zeros((4, 3), dtype=bool)
    mask[0] = True
    shown = PixelGrid((4, 3), step=(0.5, 1.0), origin=(1.0, 0.0), units="um", mask=mask)._repr_html_()
    assert "4 pixels, 1 to 2.5 um" in shown and "3 of 12 pixels" in shown and "rotation" not in shown


@pytest.mark.parametrize("sample", [SyntheticFerroelectric(shape=(8, 9)), SyntheticEELS(shape=(8, 9))])
def test_a_sample_tells_its_pixels_and_channels(sample):
    assert "8 x 9 pixels" in repr(sample) and f"{len(sample.axis)} channels" in repr(sample)
    assert "8 x 9" in sample._repr_html_() and sample.axis_units in sample._repr_html_()


def test_stage_optimizer_and_agent_tell_what_they_are(make_bench, RE):
    bench = make_bench(optimizer=PixelOptimizer)
    assert repr(bench.stage).startswith("PixelStage(grid=PixelGrid((8, 8)") and repr(bench.stage).endswith(
        "name='stage')"
    )
    assert all(f"<th>{axis.name}</th>" in bench.stage._repr_html_() for axis in bench.stage.axes)
    assert "0 of 64 pixels measured" in repr(bench.agent) and "run" not in bench.agent._repr_html_()
    (uid,) = RE(bench.map(20))
    assert "20 of 64 pixels measured" in repr(bench.agent)
    assert f"{uid[:8]}, over" in bench.agent._repr_html_()
    assert "ExpectedImprovement" in bench.optimizer._repr_html_()


def test_a_run_is_its_figure_and_a_line(make_bench, RE, docs):
    bench = make_bench(optimizer=PixelOptimizer, script={(0, 3): ["fail"]})
    (uid,) = RE(bench.map(30))
    record = RunRecord.from_documents(docs.all)
    assert repr(record).startswith(f"<RunRecord {uid[:8]}, det_height (nm), ") and repr(record).endswith("success>")
    assert len(repr(record)) < 200
    shown = record._repr_html_()
    assert shown.startswith('<img src="data:image/png;base64,')
    assert f"{len(record.measured[1])} of 64 pixels measured, {len(record.failed)} failed" in shown


def test_a_run_over_one_axis_and_one_that_has_only_begun_are_shown_as_a_table(bench, RE, docs):
    RE(bench.map(5))
    begun = RunRecord.from_documents(docs.all[:1])
    assert "going on" in repr(begun) and begun._repr_html_().startswith("<table>")


def test_over_one_axis_they_are_shown_as_well():
    agent = GPAgent(PixelOptimizer(PixelGrid((30,)), "t"), target="t")
    assert "GPAgent gp" in agent._repr_html_()
    assert "PixelGrid((30,))" in PixelStage(grid=PixelGrid((30,)), name="stage")._repr_html_()
