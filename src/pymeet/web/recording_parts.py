"""What the handlers around recordings share: the catalogue, shares and access log of one application."""

from dataclasses import dataclass

from aiohttp import web

from pymeet.accounts.passwords import Passwords
from pymeet.privacy.parts import Lifecycle
from pymeet.recording.catalogue import Catalogue
from pymeet.recording.shares import Shares
from pymeet.recording.views import Views


@dataclass(frozen=True)
class Recordings:
    """Made once for an application."""

    catalogue: Catalogue
    shares: Shares
    views: Views

    @classmethod
    def of(cls, lifecycle: Lifecycle, passwords: Passwords) -> "Recordings":
        """Those of one server."""
        catalogue = Catalogue(lifecycle)
        return cls(catalogue, Shares(lifecycle, catalogue, passwords=passwords), Views(lifecycle))


RECORDINGS = web.AppKey("recordings", Recordings)
