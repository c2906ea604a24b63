"""The error of a drift that cannot be followed."""


class DriftError(RuntimeError):
    """The drift of the sample is not known, or cannot be corrected: a map measured further would be a wrong one."""
