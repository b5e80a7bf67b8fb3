"""Which packets may leave together: all of one size but the last, which may be shorter (what UDP segmentation offload wants)."""

from collections.abc import Sequence

MAX_PADDING = 32
"""Bytes. Browsers cut a frame into packets a byte apart; so little is worth far less than a message of its own."""
_PADDED = 0x20


def split(packets: Sequence[bytes], longest: int) -> list[list[bytes]]:
    """Cuts packets, in order, into runs of at most `longest`, and evens each run by RTP padding (RFC 3550 section 5.1).

    A packet that comes with padding of its own is left as it is. Those that were padded are new objects.
    """
    runs: list[list[bytes]] = []
    run: list[bytes] = []
    size = least = 0
    least_fixed = 1 << 16  # of those that cannot be padded
    for packet in packets:
        own = len(packet)
        target = max(size, own)
        if run and len(run) < longest and target - least <= MAX_PADDING and target <= least_fixed:
            run.append(packet)
        else:
            _close(run, size, runs)
            run, target, least, least_fixed = [packet], own, own, 1 << 16
        size, least = target, min(least, own)
        if packet[0] & _PADDED:
            least_fixed = min(least_fixed, own)
    _close(run, size, runs)
    return runs


def _close(run: list[bytes], size: int, runs: list[list[bytes]]) -> None:
    if run:
        last = run.pop()
        runs.append([*(p if len(p) == size else _padded(p, size - len(p)) for p in run), last])


def _padded(packet: bytes, count: int) -> bytes:
    return bytes((packet[0] | _PADDED,)) + packet[1:] + bytes(count - 1) + bytes((count,))
