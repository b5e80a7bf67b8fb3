"""What redundancy (RED, RFC 2198) is worth: two Chromium at lines that lose alike hear the same voice, one of them without it."""

import asyncio
from pathlib import Path
from typing import Final

import pytest

from tests.browser.at_lines import room_at_lines
from tests.browser.marks import RED, device_flags
from tests.browser.people import Person, until
from tests.lab.forwarder import Conditions

pytestmark = pytest.mark.browser

LOSSY: Final = Conditions(delay_ms=10, loss=0.1)
NOTICED_S: Final = 5.0
"""Till the server has seen the loss, and sends with redundancy."""
LISTENS_S: Final = 10.0

_WITHOUT: Final = r"""
const take = RTCPeerConnection.prototype.setRemoteDescription;
RTCPeerConnection.prototype.setRemoteDescription = function (description) {
  const sdp = description.sdp.replace(/^(m=audio .*) 63\b/gm, '$1').replace(/^a=(rtpmap|fmtp):63 .*\r\n/gm, '');
  return take.call(this, { type: description.type, sdp });
};
"""
_HEARD: Final = """async () => {
  for (const s of (await window.pymeet.subscribePc.getStats()).values()) {
    if (s.type === 'inbound-rtp' && s.kind === 'audio') {
      return [s.totalSamplesReceived, s.concealedSamples - s.silentConcealedSamples, s.bytesReceived];
    }
  }
  return [0, 0, 0];
}"""


async def _heard(person: Person) -> tuple[int, int, int]:
    """Samples that were played, those of them that were made up for what was missing, and bytes that came."""
    samples, made_up, size = await person.page.evaluate(_HEARD)
    return int(samples), int(made_up), int(size)


async def test_redundancy_gives_back_most_of_what_a_line_loses(tmp_path: Path) -> None:
    """Of a tenth of lost packets a hundredth is left to be made up; without it all of them."""
    async with room_at_lines(tmp_path, 3) as room:
        ada = await room.person(1, "Ada", *device_flags(RED, tmp_path))
        grace, edsger = [await room.person(line, name, may_send=False) for line, name in ((2, "Grace"), (3, "Edsger"))]
        await edsger.page.add_init_script(_WITHOUT)
        await ada.join(room.slug)
        for person in (grace, edsger):
            await person.join(room.slug)
            await until(f"{person.name} hears Ada", lambda p=person: p.playing("audio", 1), 20)

        for line in (2, 3):
            room.lab.set(line, LOSSY)
        await asyncio.sleep(NOTICED_S)
        before = [await _heard(person) for person in (grace, edsger)]
        await asyncio.sleep(LISTENS_S)
        after = [await _heard(person) for person in (grace, edsger)]

        (with_, more), (without, less) = [
            ((later[1] - first[1]) / (later[0] - first[0]), later[2] - first[2])
            for first, later in zip(before, after, strict=True)
        ]
        print(f"made up: {with_:.2%} with redundancy, {without:.2%} without, of {more} and {less} bytes")
        assert more > 1.3 * less
        assert without > 0.04
        assert with_ < 0.3 * without
