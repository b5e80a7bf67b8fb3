"""Redundant sound (RFC 2198): payloads taken apart and put together, and what descriptions say of it."""

from pathlib import Path

import pytest

from pymeet.sfu import codecs, negotiate, red, sdp
from pymeet.sfu.errors import DatagramError

OFFERS = Path(__file__).parent / "offers"


def test_what_is_put_together_is_found_again() -> None:
    """Blocks oldest first, their ages and sizes exact, also the largest that fit."""
    for blocks in ([], [(960, b"one")], [(1920, b""), (960, b"x" * 1023)], [((1 << 14) - 1, b"old")]):
        payload = red.join(blocks, b"now")
        found, at = red.split(b"head" + payload, 4, 4 + len(payload))
        assert found == blocks
        assert (b"head" + payload)[at:] == b"now"


def test_the_heads_are_those_of_the_rfc() -> None:
    """Section 3: F, 7 bits of payload type, 14 bits of offset, 10 of length; the last head is one byte."""
    assert red.join([(960, b"ab")], b"cd") == bytes.fromhex("ef 0f00 02 6f") + b"abcd"


@pytest.mark.parametrize("payload", ["", "ef", "ef0f0002", "ef0f00026f61", "ef000000" * 5 + "6f"])
def test_payloads_that_are_cut_off_or_too_long_are_refused(payload: str) -> None:
    """Lengths inside a packet never reach past it."""
    data = bytes.fromhex(payload)
    with pytest.raises(DatagramError):
        red.split(data, 0, len(data))


def test_chromium_is_answered_with_redundancy_first_and_firefox_without() -> None:
    """What is named first is sent; who does not offer it goes on as ever."""
    local = sdp.IceAndDtls("user", "password" * 3, [("sha-256", ":".join(["AA"] * 32))], "passive")
    formats = {}
    for name in ("chromium-send", "firefox-send"):
        offer = sdp.parse((OFFERS / f"{name}.sdp").read_text())
        answer = sdp.parse(negotiate.publishing_answer(offer, negotiate.accept_publishing(offer), local, []))
        sound = next(section for section in answer.sections if section.kind == "audio")
        formats[name] = [sound.codecs[int(n)].name.lower() for n in sound.formats]
        if len(sound.formats) > 1:
            assert sound.codecs[int(sound.formats[0])].parameters == "/".join([sound.formats[1]] * 2)

    assert formats == {"chromium-send": ["red", "opus"], "firefox-send": ["opus"]}


def test_music_is_not_sent_twice() -> None:
    """Stereo at a rate for music takes enough already."""
    text = (OFFERS / "chromium-send.sdp").read_text()
    offer = sdp.parse(text.replace("useinbandfec=1", "useinbandfec=1;sprop-stereo=1"))
    sound = next(section for section in offer.sections if section.kind == "audio")

    choice = codecs.choose(sound)

    assert choice is not None
    assert choice.red_payload_type is None
    assert not choice.may_be_redundant
