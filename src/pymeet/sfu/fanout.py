"""The flat table by which one producer's packet becomes its copies. Rewritten on change, read on every packet.

This is the hottest code of the server: per copy no object is made, nothing is looked up and nobody is awaited.
"""

import struct
from collections.abc import Callable
from typing import Any

from pymeet.sfu.batch import SLOT_BYTES, SendTable
from pymeet.sfu.cache import PacketRing
from pymeet.sfu.consumer import Consumer
from pymeet.sfu.ports import Port
from pymeet.sfu.srtp import ffi, lib

_REWRITE = struct.Struct("!BHII").pack_into


class Fanout:
    """The receivers of one producer: those that are sent to (rows) and those that wait for a packet to begin with."""

    __slots__ = (
        "_length",
        "_names",
        "_port",
        "_rows",
        "_table",
        "consumers",
        "last_sequence",
        "last_timestamp",
        "octets",
        "packets",
        "protect_failures",
        "ring",
        "waiting",
    )

    def __init__(self, port: Port, ring: PacketRing) -> None:
        self._port = port
        self.ring = ring
        self.consumers: list[Consumer] = []
        self.waiting: list[Consumer] = []
        self._rows: tuple[tuple[Any, ...], ...] = ()
        self._table: SendTable | None = None
        self._length = ffi.new("int *")
        self.last_sequence = 0
        self.last_timestamp = 0
        self.packets = 0
        self.octets = 0
        self.protect_failures = 0

    # -- who receives -----------------------------------------------------------------------------------------

    def is_forwarding(self, consumer: Consumer) -> bool:
        """Whether the consumer is being sent packets now."""
        return consumer in self.consumers

    def add(self, consumer: Consumer) -> None:
        """The consumer will get packets, beginning with the next that a decoder can begin with."""
        consumer.fanout = self
        self.waiting.append(consumer)

    def remove(self, consumer: Consumer, now: float) -> None:
        """The consumer gets nothing more from here."""
        consumer.fanout = None
        if consumer in self.waiting:
            self.waiting.remove(consumer)
        elif consumer in self.consumers:
            self.consumers.remove(consumer)
            self._end(consumer, now)
            self._rewrite()

    def pause(self, now: float) -> None:
        """Nobody gets anything until packets are forwarded again (mute)."""
        for consumer in self.consumers:
            self._end(consumer, now)
        self.waiting += self.consumers
        self.consumers = []
        self._rewrite()
        self.ring.clear()

    def begin_waiting(self, sequence: int, timestamp: int, now: float) -> list[Consumer]:
        """Those who wait begin with this packet; returns them."""
        begun, self.waiting = self.waiting, []
        for consumer in begun:
            consumer.begin(sequence, timestamp, now)
            consumer.packets_before -= self.packets
            consumer.octets_before -= self.octets
        self.consumers += begun
        self._rewrite()
        return begun

    def _end(self, consumer: Consumer, now: float) -> None:
        consumer.end(self.last_sequence, self.last_timestamp, now)
        consumer.packets_before += self.packets
        consumer.octets_before += self.octets

    def sent(self, consumer: Consumer) -> tuple[int, int]:
        """Packets and payload octets that this consumer was sent, for its sender reports."""
        return consumer.packets_before + self.packets, consumer.octets_before + self.octets

    def _rewrite(self) -> None:
        count = len(self.consumers)
        if self._table is None or self._table.capacity < count or self._table.capacity > 4 * count + 16:
            self._table = SendTable(max(2, count + count // 2)) if count else None
        rows = []
        if self._table is not None:
            table = self._table
            table.address([c.transport.name for c in self.consumers])
            for i, c in enumerate(self.consumers):
                at = i * SLOT_BYTES
                rows.append(
                    (
                        table.view[at : at + SLOT_BYTES],
                        at + 1,
                        c.payload_type,
                        c.sequence_offset,
                        c.timestamp_offset or 0,
                        c.ssrc,
                        c.transport.send_handle,
                        table.srtp_base + at,
                        2 * i + 1,
                    )
                )
        self._rows = tuple(rows)

    # -- packets ------------------------------------------------------------------------------------------------

    def forward(self, packet: bytes, marker: int, sequence: int, timestamp: int) -> None:
        """Sends a packet, newer than all before it, to everybody. `marker` is 0x80 or 0."""
        self.last_sequence = sequence
        self.last_timestamp = timestamp
        table = self._table
        if table is None:
            return
        size = len(packet)
        self.packets += 1
        self.octets += size - 12
        length, buffer, lengths = self._length, table.buffer, table.lengths
        protect, rewrite = lib.srtp_protect, _REWRITE
        for slot, at, payload_type, sequence_offset, timestamp_offset, ssrc, srtp, pointer, k in self._rows:
            slot[:size] = packet
            rewrite(
                buffer,
                at,
                marker | payload_type,
                (sequence + sequence_offset) & 0xFFFF,
                (timestamp + timestamp_offset) & 0xFFFFFFFF,
                ssrc,
            )
            length[0] = size
            if protect(srtp, pointer, length):
                self.protect_failures += 1
                length[0] = 0  # an empty datagram, never clear text
            lengths[k] = length[0]
        self._port.flush(table, len(self._rows))

    def forward_late(
        self, packet: bytes, sequence: int, timestamp: int, send: Callable[[Consumer, bytes], None]
    ) -> None:
        """Sends a packet that came late or was repaired, to those who had the ones around it."""
        for consumer in self.consumers:
            if consumer.may_have(sequence):
                send(consumer, consumer.header(packet, sequence, timestamp))
