"""The ring of clear-text packets of one producer, from which every receiver's retransmission requests are served."""


class PacketRing:
    """The newest packets by sequence number; `size` is a power of two."""

    __slots__ = ("_mask", "_packets", "size")

    def __init__(self, size: int) -> None:
        self.size = size
        self._mask = size - 1
        self._packets: list[bytes | None] = [None] * size

    def put(self, sequence: int, packet: bytes) -> None:
        """Keeps a packet; its own bytes 2 and 3 hold the sequence number."""
        self._packets[sequence & self._mask] = packet

    def get(self, sequence: int) -> bytes | None:
        """The packet of this sequence number, if it is still here."""
        packet = self._packets[sequence & self._mask]
        if packet is None or packet[2] << 8 | packet[3] != sequence:
            return None
        return packet

    def clear(self) -> None:
        """Forgets everything: what was said before a mute must not be had after it."""
        self._packets = [None] * len(self._packets)
