"""What clients are told of connections: everybody who does not get through well, and each their own figures."""

from typing import Any

from pymeet.sfu.budget import Figures
from tests.signaling.conftest import House

UNKNOWN = dict.fromkeys(("sent_loss", "received_loss", "round_trip_ms", "queue_ms", "target_bps", "demand_bps"))


async def test_a_bad_connection_is_told_to_everybody_and_its_figures_to_nobody_else(house: House) -> None:
    """Names and numbers apart: the others learn that and why, not how much."""
    ann, ann_id = await house.enter("Ann", user="ann")
    bob, _ = await house.enter("Bob")
    await bob.ask(type="publish", sdp="offer", tracks=[{"mid": "0", "source": "microphone", "muted": False}])
    await ann.until("offer")
    house.media.subscriber_of(ann_id).measured = Figures(900_000, 800_000, 0.2, 30, 1_000_000, 90)

    for _ in range(30):  # the room may be in the midst of a round of ten
        house.registry.tick()

    graded = [{"participant": ann_id, "grade": "poor", "cause": "receiving"}]
    assert (await bob.until("quality"))["participants"] == graded
    assert (await ann.until("quality"))["participants"] == graded
    (track,) = house.media.subscriber_of(ann_id).current
    told: dict[str, Any] = await ann.ask(type="figures")
    assert told == {
        "type": "figures",
        "re": "q",
        "sent_loss": None,
        "received_loss": 0.2,
        "round_trip_ms": 90,
        "queue_ms": 30,
        "target_bps": 900_000,
        "demand_bps": 1_000_000,
        "layers": [{"track": track.id, "layer": 0}],
    }
    assert await bob.ask(type="figures") == {"type": "figures", "re": "q", **UNKNOWN, "layers": []}
