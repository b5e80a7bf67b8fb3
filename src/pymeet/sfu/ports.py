"""How the machine sends: the one seam between the media server and the world. `udp.MediaPort` is the real one."""

from typing import Protocol

from pymeet.sfu.batch import SendTable


class Port(Protocol):
    """Whoever takes outgoing datagrams."""

    def send(self, datagram: bytes, address: tuple[str, int]) -> None:
        """Sends one datagram; loss is no error."""

    def flush(self, table: SendTable, count: int) -> None:
        """Sends the first `count` slots of a table."""
