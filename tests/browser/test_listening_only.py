"""Who has neither camera nor microphone, or lets nobody have them, in a network that lets no UDP out."""

from pathlib import Path
from typing import Final

import pytest

from tests.browser.at_lines import room_at_lines
from tests.browser.people import Person, until
from tests.lab.forwarder import Conditions

pytestmark = pytest.mark.browser

BLOCKED: Final = Conditions(delay_ms=10, blocks_udp=True)
FIRST_S: Final = 10.0
BACK_S: Final = 4.0
"""Who sends nothing hears from the server only that nothing arrives, so it takes longer than for those who send (`test_faults.py`)."""
LOOKS_S: Final = 1.0
"""As long as one look at what comes lasts."""

_WAY: Final = """async () => {
  const stats = await window.pymeet.subscribePc.getStats();
  for (const each of stats.values()) {
    if (each.type === 'transport') {
      return stats.get(stats.get(each.selectedCandidatePairId)?.localCandidateId)?.protocol ?? '';
    }
  }
  return '';
}"""


async def _sees_and_hears(person: Person) -> bool:
    return await person.playing("video", 1, within_s=0.5, at_least=2) and await person.playing(
        "audio", 1, within_s=0.5, at_least=5
    )


async def test_who_only_listens_sees_and_hears_without_udp(tmp_path: Path) -> None:
    """From the first moment on, and also where it goes away in the middle: nothing of their own flows that could notice it."""
    async with room_at_lines(tmp_path, 3) as room:
        ada = await room.person(1, "Ada")
        grace, edsger = [await room.person(line, name, may_send=False) for line, name in ((2, "Grace"), (3, "Edsger"))]
        room.lab.set(2, BLOCKED)
        await ada.join(room.slug)
        await edsger.join(room.slug)
        await until("Edsger sees and hears Ada", lambda: _sees_and_hears(edsger), 20)
        assert await edsger.page.evaluate(_WAY) == "udp"

        await grace.join(room.slug)
        first_s = await until("Grace sees and hears Ada", lambda: _sees_and_hears(grace), FIRST_S)
        assert await grace.page.evaluate(_WAY) == "tcp"

        room.lab.set(3, BLOCKED)
        back_s = await until("Edsger goes on over TCP", lambda: _by_tcp(edsger), 10)
        print(f"first after {first_s:.1f} s, back after {back_s:.1f} s")
        assert back_s < BACK_S + LOOKS_S


async def _by_tcp(person: Person) -> bool:
    return await _sees_and_hears(person) and await person.page.evaluate(_WAY) == "tcp"
