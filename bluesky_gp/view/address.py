"""The address of a page: loopback and a token that is new with every start."""

import secrets
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Address:
    """Address of a page.

    Parameters
    ----------
    host : str
        Loopback unless somebody says otherwise.
    port : int
    token : str, optional
        Given with every question. Default: a new one.
    """

    host: str
    port: int
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)

    @property
    def url(self) -> str:
        """The address to open; the token stands behind #, which a browser sends to nobody."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}/#token={self.token}"

    def is_mine(self, token: str) -> bool:
        """Whether a token is the one of this start."""
        return secrets.compare_digest(token.encode(), self.token.encode())
