"""The two errors that may leave the media server because of what a peer sent."""

from pymeet.errors import ProtocolError


class DatagramError(ProtocolError):
    """A datagram is not what its first byte promised. It is dropped and counted, nothing more."""

    code = "bad_datagram"


class DescriptionError(ProtocolError):
    """A session description (SDP) cannot be used; the message says which line or why."""

    code = "bad_description"


class UnusableOfferError(DescriptionError):
    """The offer can be read, but has no section that could be accepted."""

    code = "unusable_offer"
