"""What people's actions make of the number of pixels that a run attempts."""

from bluesky_gp.run import Action, number_after, recorded_action


def test_the_number_of_pixels_follows_people_in_the_order_in_which_they_asked():
    more, less = Action("go_on", {"more": 20}), Action("configure", {"num": 50, "batch_size": 3})
    assert number_after(90, [more]) == 110
    assert number_after(90, [more, less]) == 50 and number_after(90, [less, more]) == 70
    assert number_after(90, [Action("configure", {"batch_size": 3}), Action("finish")]) == 90


def test_a_run_without_a_number_has_none_until_somebody_gives_it_one():
    assert number_after(None, [Action("go_on", {"more": 20})]) is None
    assert number_after(None, [Action("configure", {"num": 50}), Action("go_on", {"more": 20})]) == 70


def test_an_event_of_hands_is_the_action_that_it_was():
    action = Action("add_pixels", {"pixels": [[0, 0]]}, "jane", 1.7e9)
    assert (
        recorded_action({f"gp_hands_{key}": value for key, value in action.to_mapping().items()}, "gp_hands") == action
    )
