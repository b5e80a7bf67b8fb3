"""The flat table by which one producer's packets become its copies. Rewritten on change, read on every packet.

This is the hottest code of the server: per copy no object is made, nothing is looked up and nobody is awaited. Packets are
queued, and when a batch of them has been taken in, each receiver gets all of them in one go.
"""

import struct
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pymeet.sfu import rtp, vp8
from pymeet.sfu.batch import SocketName
from pymeet.sfu.cache import PacketRing
from pymeet.sfu.consumer import Consumer
from pymeet.sfu.history import MASK, TAG_BYTES, SendHistory, Sent
from pymeet.sfu.ports import Port
from pymeet.sfu.runs import split
from pymeet.sfu.sending import Cell, Layout, SendTable, pointers_of
from pymeet.sfu.srtp import lib

if TYPE_CHECKING:
    from pymeet.sfu.service import Sfu

_packers: dict[int, Callable[..., None]] = {}

Queued = tuple[bytes, int, int, int]
"""A packet, its marker, its sequence number, its timestamp."""
Row = tuple[int, int, int, int, Any, int, SendHistory, tuple[int, int] | None]
"""What copies need to know of a receiver: see `_Group`."""


def _packer(size: int) -> Callable[..., None]:
    """Writes a whole packet of this size: its header up to the number, and the rest as it is."""
    if size not in _packers:
        _packers[size] = struct.Struct(f"!BBHIIIHH{size - rtp.SECOND_AT}s").pack_into
    return _packers[size]


class _Group:
    """Receivers whose copies differ in nothing but numbers, and who may be sent to alike."""

    __slots__ = ("is_shifting", "is_whole", "names", "pointers", "rows", "second_id")

    def __init__(self, consumers: list[Consumer]) -> None:
        self.second_id = consumers[0].second_element
        self.names = [c.transport.name for c in consumers]
        self.is_whole = self.names[0].is_whole
        """Whether each packet must leave as a message of its own."""
        self.pointers = pointers_of(self.names)
        self.is_shifting = any(c.shift is not None for c in consumers)
        """Whether picture numbers are rewritten for anybody."""
        self.rows = [
            (
                c.payload_type,
                c.sequence_offset,
                c.timestamp_offset or 0,
                c.ssrc,
                c.transport.send_handle,
                c.wide_head,
                c.transport.history,
                c.shift,
            )
            for c in consumers
        ]


class Fanout:
    """The receivers of one producer: those that are sent to (rows) and those that wait for a packet to begin with."""

    __slots__ = (
        "_changes",
        "_groups",
        "_house",
        "_port",
        "_queue",
        "_streamed",
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
        self._groups: list[_Group] = []
        self._streamed: list[Consumer] = []
        """Those who are reached by TCP, one packet after the other."""
        self._changes = 0
        self._house: Sfu | None = None
        self._queue: list[Queued] = []
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
        self.flush()
        if consumer in self.waiting:
            self.waiting.remove(consumer)
        elif consumer in self.consumers:
            self.consumers.remove(consumer)
            self._end(consumer, now)
            self._rewrite()
        consumer.fanout = None

    def pause(self, now: float) -> None:
        """Nobody gets anything until packets are forwarded again (mute)."""
        self.flush()
        for consumer in self.consumers:
            self._end(consumer, now)
        self.waiting += self.consumers
        self.consumers = []
        self._rewrite()
        self.ring.clear()

    def begin_waiting(self, sequence: int, timestamp: int, now: float) -> list[Consumer]:
        """Those who wait begin with this packet; returns them."""
        self.flush()
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
        groups: dict[tuple[int, bool], list[Consumer]] = {}
        self._changes = SocketName.changes
        self._streamed = []
        for consumer in self.consumers:
            name = consumer.transport.name
            if name.stream is not None:
                self._streamed.append(consumer)
            else:
                groups.setdefault((consumer.second_element, name.is_whole), []).append(consumer)
        self._groups = [_Group(consumers) for consumers in groups.values()]
        self._house = self.consumers[0].transport.sfu if self.consumers else None

    # -- packets ------------------------------------------------------------------------------------------------

    def forward(self, packet: bytes, marker: int, sequence: int, timestamp: int) -> None:
        """Queues a packet, newer than all before it, for everybody. `marker` is 0x80 or 0."""
        self.last_sequence = sequence
        self.last_timestamp = timestamp
        if self._house is None:
            return
        self.packets += 1
        self.octets += len(packet) - rtp.NORMAL_BYTES
        if rtp.is_long(packet):
            # one in a key frame, if any: that form is kept out of the loop over all others
            self.flush()
            for consumer in self.consumers:
                consumer.transport.send_rtp(consumer.copy(packet))
            return
        if not self._queue:
            self._house.queued.append(self)
        self._queue.append((packet, marker, sequence, timestamp))

    def forward_late(
        self, packet: bytes, sequence: int, timestamp: int, send: Callable[[Consumer, bytes], None]
    ) -> None:
        """Sends a packet that came late or was repaired, to those who had the ones around it."""
        self.flush()
        for consumer in self.consumers:
            if consumer.may_have(sequence):
                send(consumer, consumer.copy(packet))

    def flush(self) -> None:
        """Sends what is queued now: nothing that follows may overtake it or change how it is sent."""
        if self._queue and self._house is not None:
            self.prepare()
            self._port.flush(self._house.outbox)

    def prepare(self) -> None:
        """Makes the copies of what is queued. They leave with the table, or before when it is full."""
        queue, self._queue = self._queue, []
        house = self._house
        if house is None or not queue:
            return
        table = house.outbox
        if self._changes != SocketName.changes:
            self._rewrite()  # somebody is reached in another way now
        packets = [queued[0] for queued in queue]
        runs = split(packets, table.longest_run) if len(packets) > 1 else [packets]
        begin = 0
        for run in runs:
            end = begin + len(run)
            for i in range(begin, end):
                if run[i - begin] is not packets[i] and self.ring.get(queue[i][2]) is packets[i]:
                    self.ring.put(queue[i][2], run[i - begin])  # what is sent again must be the same text
            about = [(packet, *queued[1:]) for packet, queued in zip(run, queue[begin:end], strict=True)]
            for group in self._groups:
                for part in [[one] for one in about] if group.is_whole else [about]:
                    self._copy(group, part, table, house.now)
            for consumer in self._streamed:
                for packet in run:
                    consumer.transport.send_rtp(consumer.copy(packet))
            begin = end

    def _copy(self, group: _Group, queued: list[Queued], table: SendTable, now: float) -> None:
        """Encrypts a run of packets for each receiver of a group."""
        run = []
        for packet, marker, sequence, timestamp in queued:
            size = len(packet)
            table.bytes += (size + TAG_BYTES) * len(group.rows)
            run.append(
                (
                    _packer(size),
                    packet[0],
                    marker,
                    sequence,
                    timestamp,
                    int.from_bytes(packet[12:16], "big"),
                    rtp.with_second_id(packet, group.second_id),
                    size,
                    (now, size + TAG_BYTES),
                    vp8.places(packet) if group.is_shifting else vp8.NOWHERE,
                )
            )
        if len(run) != table.layout.run and table.count:
            self._port.flush(table)
        layout = table.lay(len(run))
        rows, cells, stride = group.rows, layout.cells, Layout.stride
        begin, m = 0, table.count
        while begin < len(rows):
            count = min(layout.capacity - m, len(rows) - begin)
            layout.words[m * stride : (m + count) * stride : stride] = group.pointers[begin : begin + count]
            table.names[m : m + count] = group.names[begin : begin + count]
            if len(run) == 1:
                self._fill_single(rows[begin : begin + count], cells[m : m + count], table, *run[0])
            else:
                self._fill_runs(rows[begin : begin + count], cells[m : m + count], table, run)
                for i in range(m, m + count):
                    layout.segments[i * Layout.segment_stride + Layout.segment_at] = table.lengths[cells[i][0][3]]
            begin += count
            m += count
            table.count = m
            if m == layout.capacity:
                self._port.flush(table)
                m = 0

    def _fill_single(
        self,
        rows: list[Row],
        cells: list[tuple[Cell, ...]],
        table: SendTable,
        pack: Callable[..., None],
        first: int,
        marker: int,
        sequence: int,
        timestamp: int,
        block: int,
        rest: bytes,
        size: int,
        entry: Sent,
        places: vp8.Places,
    ) -> None:
        """One packet for each of these receivers."""
        buffer, lengths, protect, mask = table.buffer, table.lengths, lib.srtp_protect, MASK
        for (payload_type, sequence_offset, timestamp_offset, ssrc, srtp, head, history, shift), (
            (at, slot, length, length_at),
        ) in zip(rows, cells, strict=True):
            number = 0
            if head:
                number = history.next
                history.log[number & mask] = entry
                history.next = (number + 1) & 0xFFFF
            pack(
                buffer,
                at,
                first,
                marker | payload_type,
                (sequence + sequence_offset) & 0xFFFF,
                (timestamp + timestamp_offset) & 0xFFFFFFFF,
                ssrc,
                block,
                head,
                number,
                rest,
            )
            if shift is not None:
                vp8.renumber(buffer, at, places, *shift)
            lengths[length_at] = size
            if protect(srtp, slot, length):
                lengths[length_at] = 0  # an empty datagram, never clear text
                self.protect_failures += 1

    def _fill_runs(
        self, rows: list[Row], cells: list[tuple[Cell, ...]], table: SendTable, run: list[tuple[Any, ...]]
    ) -> None:
        """The same for several packets to each; a loop in the loop costs as much as the copying of one packet."""
        buffer, lengths, protect, mask = table.buffer, table.lengths, lib.srtp_protect, MASK
        for (payload_type, sequence_offset, timestamp_offset, ssrc, srtp, head, history, shift), own in zip(
            rows, cells, strict=True
        ):
            number, log, failed = history.next, history.log, 0
            for (pack, first, marker, sequence, timestamp, block, rest, size, entry, places), (
                at,
                slot,
                length,
                length_at,
            ) in zip(run, own, strict=True):
                if head:
                    log[number & mask] = entry
                pack(
                    buffer,
                    at,
                    first,
                    marker | payload_type,
                    (sequence + sequence_offset) & 0xFFFF,
                    (timestamp + timestamp_offset) & 0xFFFFFFFF,
                    ssrc,
                    block,
                    head,
                    number if head else 0,
                    rest,
                )
                number = (number + 1) & 0xFFFF
                if shift is not None:
                    vp8.renumber(buffer, at, places, *shift)
                lengths[length_at] = size
                failed += protect(srtp, slot, length)
            if head:
                history.next = number
            if failed:
                for _, _, _, length_at in own:
                    lengths[length_at] = 0
                self.protect_failures += 1
