"""What a browser noticed of a fault, from its own getStats: how long sound or pictures of each person stood still, and when they
moved again.

The page keeps the counts itself, ten times a second, so that a slow test process does not count as a silent network. A standstill
is the time between the first and the last reading of the same count; so a page that was late counts for nothing either.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

KEEP_LOG = """() => {
  const log = window.flowLog = [];
  let owners = new Map(), of = null;
  const read = (pc) => {
    of = pc;
    owners = new Map();
    for (const section of (pc.remoteDescription?.sdp ?? '').split(/^m=/m).slice(1)) {
      const owner = /^a=msid:(\\S+)/m.exec(section)?.[1];
      if (owner) owners.set(/^a=mid:(\\S+)/m.exec(section)?.[1], owner);
    }
  };
  setInterval(async () => {
    const pc = window.pymeet.subscribePc;
    const flows = {};
    const names = new Map(window.pymeet.state().participants.map(({ id, name }) => [id, name]));
    for (const s of pc ? (await pc.getStats()).values() : []) {
      if (s.type !== 'inbound-rtp') continue;
      if (pc !== of || !owners.has(s.mid)) read(pc);
      // What was made up for what is missing is not heard; only what came out of the buffer is.
      const count = s.kind === 'video' ? s.framesDecoded : s.jitterBufferEmittedCount;
      flows[`${names.get(owners.get(s.mid))} ${s.kind}`] = [count ?? 0, s.frameHeight ?? 0];
    }
    log.push([Date.now(), flows]);
  }, 100);
}"""
WAYS = """async () => {
  const found = new Set();
  for (const pc of [window.pymeet.publishPc, window.pymeet.subscribePc]) {
    const stats = await pc.getStats();
    for (const each of stats.values()) {
      if (each.type === 'candidate-pair' && each.nominated && each.state === 'succeeded' && each.selected !== false) {
        found.add(stats.get(each.localCandidateId).protocol);
      }
    }
  }
  return [...found].sort();
}"""
"""By what the media of a page goes: udp or tcp."""
_TAKE_LOG = "() => window.flowLog.splice(0)"


@dataclass(frozen=True)
class Reading:
    """What one look showed: the count and the lines of the picture, by `"Ada video"`."""

    at_s: float
    flows: dict[str, tuple[int, int]]


Readings = Sequence[Reading]


async def take_log(evaluate: Callable[[str], Awaitable[Any]]) -> list[Reading]:
    """The readings since it was last asked. `evaluate` calls a JavaScript function in the page."""
    return [
        Reading(at_ms / 1000, {key: (int(count), int(height)) for key, (count, height) in flows.items()})
        for at_ms, flows in await evaluate(_TAKE_LOG)
    ]


def standstills(readings: Readings, flow: str) -> list[tuple[float, float]]:
    """When the flow stood still, from and to: readings of one count, or without any. A count that begins anew goes on."""
    found: list[tuple[float, float]] = []
    before = 0
    for reading in readings:
        count = reading.flows.get(flow, (0, 0))[0]
        if count in (0, before) and found:
            found[-1] = (found[-1][0], reading.at_s)
        else:
            found.append((reading.at_s, reading.at_s))
        before = count or before
    return found


def longest_gap_s(readings: Readings, flow: str, since: float, until: float) -> float:
    """The longest standstill in this time."""
    return max((min(end, until) - max(begin, since) for begin, end in standstills(readings, flow)), default=0.0)


def back_after_s(readings: Readings, flow: str, since: float, steady_s: float) -> float:
    """How long after `since` it moved for good: no standstill of `steady_s` comes later. Infinite when it stands still at the end."""
    long = [end for begin, end in standstills(readings, flow) if end > since and end - begin >= steady_s]
    if not long:
        return 0.0
    return float("inf") if long[-1] >= readings[-1].at_s else long[-1] - since
