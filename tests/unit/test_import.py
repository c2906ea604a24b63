import sys


def test_devices_and_plans_are_never_imported_by_their_bare_names():
    import bluesky_gp.devices  # noqa: F401
    import bluesky_gp.plans  # noqa: F401

    assert "devices" not in sys.modules
    assert "plans" not in sys.modules
