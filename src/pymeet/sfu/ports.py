"""How the machine sends: the one seam between the media server and the world. `udp.MediaPort` is the real one."""

from typing import Protocol

from pymeet.sfu.address import Address
from pymeet.sfu.sending import SendTable


class Port(Protocol):
    """Whoever takes outgoing datagrams."""

    def send(self, datagram: bytes, address: Address) -> None:
        """Sends one datagram; loss is no error."""

    def flush(self, table: SendTable) -> None:
        """Sends what is prepared in a table, which is empty then."""
