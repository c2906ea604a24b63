import pytest
from ophyd import Component, PseudoPositioner, PseudoSingle, SoftPositioner
from ophyd.pseudopos import pseudo_position_argument, real_position_argument

from bluesky_gp.moves import merged_moves


class Lab(PseudoPositioner):
    """The frame of a sample that is rotated, and a height."""

    px, py, pz = Component(PseudoSingle), Component(PseudoSingle), Component(PseudoSingle)
    rx, ry, rz = (Component(SoftPositioner, init_pos=0.0) for _ in range(3))

    @pseudo_position_argument
    def forward(self, there):
        return self.RealPosition(rx=0.8 * there.px - 0.6 * there.py, ry=0.6 * there.px + 0.8 * there.py, rz=there.pz)

    @real_position_argument
    def inverse(self, real):
        return self.PseudoPosition(px=0.8 * real.rx + 0.6 * real.ry, py=-0.6 * real.rx + 0.8 * real.ry, pz=real.rz)


@pytest.fixture
def lab():
    return Lab(name="lab")


def test_independent_axes_are_moved_one_by_one(lab):
    one, other = SoftPositioner(name="one"), object()  # an axis need not have a parent
    assert merged_moves((one, lab.rx, other), (1.0, 2.0, 3.0)) == [(one, 1.0), (lab.rx, 2.0), (other, 3.0)]


def test_pseudo_axes_of_one_positioner_are_one_move_of_it(lab):
    assert merged_moves((lab.py, lab.px), (1.0, 2.0)) == [(lab, lab.PseudoPosition(2.0, 1.0, 0.0))]


def test_pseudo_axes_that_are_not_of_the_map_stay_where_they_were_sent(lab):
    lab.pz.set(7.0).wait(1)
    assert merged_moves((lab.py, lab.px), (1.0, 2.0)) == [(lab, lab.PseudoPosition(2.0, 1.0, 7.0))]


def test_axes_of_two_positioners_are_two_moves(lab):
    other, motor = Lab(name="other"), SoftPositioner(name="motor")
    moves = merged_moves((lab.py, other.px, motor), (1.0, 2.0, 3.0))
    assert moves == [(lab, (0.0, 1.0, 0.0)), (other, (2.0, 0.0, 0.0)), (motor, 3.0)]


def test_a_pseudo_axis_and_a_real_one_of_the_same_positioner_are_refused(lab):
    with pytest.raises(ValueError, match="lab: lab_px and lab_ry cannot both be axes of a map"):
        merged_moves((lab.px, lab.ry), (1.0, 2.0))
