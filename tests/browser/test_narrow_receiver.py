"""Somebody whose line carries 300 kb/s looks at a camera of 720 lines, beside somebody whose line is good."""

import asyncio
import time
from pathlib import Path
from typing import Final

import pytest

from tests.browser.at_lines import room_at_lines
from tests.browser.people import Person, until
from tests.lab.forwarder import Conditions
from tests.lab.noticing import KEEP_LOG, longest_gap_s, take_log

pytestmark = pytest.mark.browser

NARROW: Final = Conditions(delay_ms=10, rate_bps=300_000)
LOOK_S: Final = 8.0
STOPS_S, BACK_S = 1.0, 3.0
ADAPTS_S: Final = 10.0
FITS: Final = 360
"""Lines of which 300 kb/s carry at least a part; 720 are sent at 1.7 Mb/s."""

_LARGEST_SENT: Final = """async () => {
  for (const s of (await window.pymeet.publishPc.getStats()).values()) {
    if (s.type === 'outbound-rtp' && s.rid === 'h') return s.framesSent;
  }
  return 0;
}"""


async def _lines(person: Person) -> int:
    pictures = [stream["height"] for stream in await person.inbound() if stream["kind"] == "video"]
    return max(pictures, default=0)


async def test_one_narrow_line_does_not_pull_anyone_else_down(tmp_path: Path) -> None:
    """They go on with less, by themselves; who can have all lines has them all the time, and without a stop."""
    async with room_at_lines(tmp_path, 3) as room:
        ada = await room.person(1, "Ada")
        grace, edsger = [await room.person(line, name, may_send=False) for line, name in ((2, "Grace"), (3, "Edsger"))]
        await ada.join(room.slug)
        for person in (grace, edsger):
            await person.join(room.slug)
            await person.sees("Ada")
            await person.tile("Ada").hover()
            await person.press("Pin Ada")
            await person.page.evaluate(KEEP_LOG)
        for person in (grace, edsger):
            await until(f"{person.name} gets 720 lines", lambda p=person: _has(p, 720), 30)
        for person in (grace, edsger):
            await take_log(person.page.evaluate)

        begun = time.time()
        sent_before = await ada.page.evaluate(_LARGEST_SENT)
        room.lab.set(3, NARROW)
        adapted_s = await until("Edsger gets fewer lines", lambda: _fits(edsger), ADAPTS_S)
        await asyncio.sleep(max(0.0, begun + LOOK_S - time.time()))
        over = time.time()
        good, narrow = await take_log(grace.page.evaluate), await take_log(edsger.page.evaluate)

        print(f"fewer lines after {adapted_s:.1f} s")
        for name, log in (("Grace", good), ("Edsger", narrow)):
            gaps = [f"{kind} {longest_gap_s(log, f'Ada {kind}', begun, over):.1f} s" for kind in ("audio", "video")]
            print(name, *gaps, sorted({reading.flows["Ada video"][1] for reading in log}))
        assert {reading.flows["Ada video"][1] for reading in good} == {720}
        assert longest_gap_s(good, "Ada video", begun, over) < STOPS_S
        assert longest_gap_s(good, "Ada audio", begun, over) < STOPS_S
        assert await ada.page.evaluate(_LARGEST_SENT) - sent_before > 0.6 * 10 * LOOK_S

        assert longest_gap_s(narrow, "Ada audio", begun, over) < STOPS_S
        assert longest_gap_s(narrow, "Ada video", begun, over) < BACK_S
        assert await edsger.playing("video", 1, within_s=2, at_least=6)


async def _has(person: Person, lines: int) -> bool:
    return await _lines(person) == lines


async def _fits(person: Person) -> bool:
    return 0 < await _lines(person) <= FITS
