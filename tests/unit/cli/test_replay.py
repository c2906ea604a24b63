"""``bluesky-gp replay`` as a user types it."""

import pytest


def test_a_run_of_the_catalog_comes_out_the_same(on_catalog):
    code, out, _ = on_catalog("replay", "last")
    assert code == 0 and "3 iterations and 2 maps identical" in out


def test_another_rule_is_told_iteration_by_iteration(on_catalog):
    code, out, _ = on_catalog("replay", "last", "--with", "uncertainty")
    assert code == 0
    assert "iteration 0: 10 of 10 pixels the same" in out and "  uncertainty (" in out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["nowhere"], "nowhere"),
        (["1"], "was not steered by a GPAgent"),
        (["last", "--given", "luck=my:own"], "expected one of acquisition, mean"),
        (["last", "--given", "kernel"], "expected NAME=MODULE:OBJECT"),
    ],
)
def test_a_slip_is_one_line_and_exit_code_two(words, sentence, on_catalog):
    code, _, err = on_catalog("replay", *words)
    assert code == 2 and sentence in err
