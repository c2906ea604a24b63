from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from bluesky_gp.recording.versions import TESTED, check_versions, private

ROOT = Path(__file__).parents[3]


def installed(**others):
    """Return the lowest version that works of each package, less what is said."""
    return lambda package: others.get(package.replace("-", "_"), TESTED[package][0])


def test_what_is_installed_here_works():
    check_versions()


def test_the_lowest_versions_are_those_that_the_package_requires():
    required = (ROOT / "pyproject.toml").read_text()
    for package in ("bluesky", "bluesky-tiled-plugins"):
        assert f'"{package}>={TESTED[package][0]}"' in required
    assert f'"tiled[minimal-server]>={TESTED["tiled"][0]}"' in required
    assert f'requires-python = ">={TESTED["Python"][0]}"' in required


@pytest.mark.parametrize(
    ("versions", "message"),
    [
        ({"bluesky": "1.13.1"}, r"bluesky 1.13.1, which is too old: python -m pip install 'bluesky>=1.14,<1.16'"),
        ({"bluesky_tiled_plugins": "2.0.11"}, "pip install 'bluesky-tiled-plugins>=2.0.12,<2.1'"),
        ({"tiled": "0.2.20b1"}, "tiled 0.2.20b1, which is too old"),
        ({"Python": "3.10.12"}, "it works with Python 3.11 or later"),
    ],
)
def test_a_version_that_is_too_old_is_named_with_what_to_install(versions, message):
    with pytest.raises(ImportError, match=message):
        check_versions(installed(**versions))


def test_a_package_that_is_missing_is_named_with_what_to_install():
    def missing(package):
        raise PackageNotFoundError(package)

    with pytest.raises(ImportError, match="with bluesky, which is not installed: python -m pip install"):
        check_versions(missing)


def test_a_version_that_nobody_has_tried_is_a_line_in_the_log(caplog):
    check_versions(installed(tiled="0.3.1"))
    assert "tiled 0.3.1 is newer than what bluesky_gp has been tried with" in caplog.text
    assert "pip install 'tiled>=0.2.20,<0.3'" in caplog.text


def test_a_private_part_that_is_gone_is_named_with_what_to_install():
    with pytest.raises(ImportError, match=r"bluesky_gp needs _gone of tiled, which 0.*pip install 'tiled>="):
        private(object(), "_gone", "tiled")


def test_no_other_room_knows_private_parts_of_other_packages():
    """A name with one underscore is looked up in `self`, or in what this package has made; never elsewhere."""
    suppressed = [path for top in ("bluesky_gp", "devices", "plans") for path in (ROOT / top).rglob("*.py")
                  if "SLF001" in path.read_text() and path.parent.name != "recording"]  # fmt: skip
    assert suppressed == []
