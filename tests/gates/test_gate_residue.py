"""Gate 3: after an erasure nothing of the person is left in any byte that the server keeps, in any writing; and everything
of everybody else is.

The search here is another one than the server's own, so that the two must agree.
"""

import base64
import gc
import gzip
import json
import quopri
import urllib.parse
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from live_server import PASSWORD, first_admin, make_config, running, visiting

from pymeet.clock import SystemClock
from pymeet.ops.client import call
from pymeet.privacy.erasure import Erasures
from pymeet.privacy.people import member as of_account
from tests.gates.story import Human, story
from tests.support.exports import opened
from tests.support.recordings import TRACK


def forms(text: str) -> dict[str, bytes]:
    """The ways in which a text may be written down."""
    raw = text.encode()
    found = {
        "utf-8": raw,
        "utf-16-le": text.encode("utf-16-le"),
        "utf-16-be": text.encode("utf-16-be"),
        "upper": text.upper().encode(),
        "json": json.dumps(text)[1:-1].encode(),
        "percent": urllib.parse.quote(text, safe="").encode(),
        "quoted-printable": quopri.encodestring(raw),
        "reversed": raw[::-1],
        "hex": raw.hex().encode(),
    }
    for phase in range(3):  # base64 begins anew every three bytes: cut off what depends on the neighbours
        encoded = base64.b64encode(b"x" * phase + raw + b"y" * ((3 - (phase + len(raw)) % 3) % 3))
        found[f"base64-{phase}"] = encoded[4 if phase else 0 : -4]
    return found


def haystacks(directory: Path) -> Iterator[tuple[str, bytes]]:
    """Every file as it is, what is packed in it, and all file names."""
    for path in sorted(directory.rglob("*")):
        yield f"name {path.name}", str(path.relative_to(directory)).encode()
        if path.is_file() and not path.is_socket():
            content = path.read_bytes()
            yield path.name, content
            yield from ((f"{path.name} unpacked", plain) for plain in _unpacked(content))


def _unpacked(content: bytes) -> Iterator[bytes]:
    for magic, unpack in ((b"\x1f\x8b\x08", gzip.decompress), (b"PK\x03\x04", None), (b"\x78\x9c", zlib.decompress)):
        at = content.find(magic)
        while at != -1:
            try:
                if unpack:
                    yield unpack(content[at:])
                else:
                    length = int.from_bytes(content[at + 26 : at + 28], "little")
                    extra = int.from_bytes(content[at + 28 : at + 30], "little")
                    yield zlib.decompressobj(-15).decompress(content[at + 30 + length + extra :])
            except (OSError, EOFError, zlib.error):
                pass  # those bytes only look like the beginning of something packed
            at = content.find(magic, at + 1)


def found_in(directory: Path, human: Human) -> set[str]:
    """What of somebody stands where, in which writing."""
    needles = [(what, form, needle) for what, text in human.said.items() for form, needle in forms(text).items()]
    return {
        f"{what} as {form} in {place}"
        for place, hay in haystacks(directory)
        for what, form, needle in needles
        if needle in hay
    }


async def test_of_an_erased_member_and_guest_no_byte_is_left_and_of_others_every_one(tmp_path: Path):
    """That is what erasing means, on a server that served them through its own doors."""
    async with story(tmp_path) as told:
        host = await told.add_member("host", admin=True)
        told.slug = (await told.ask(host, "POST", "/api/v1/rooms", {"name": host.made("room")}, 201))["slug"]
        member, other = await told.add_member("member"), await told.add_member("other")
        own = (await told.ask(member, "POST", "/api/v1/rooms", {"name": "Shared room"}, 201))["slug"]
        for human in (member, other):
            await told.say(human)
            await told.operate("request.add", right="access", user=human.email)
            await told.operate("export.build", who=human.email)
        theirs = (await told.ask(other, "POST", "/api/v1/rooms", {"name": "Another room"}, 201))["slug"]
        await told.plan(member, other, own)
        await told.plan(other, member, theirs)
        for human in (member, other):
            await told.automate(human)
            await told.describe(human)
        guest, stays = await told.add_guest("guest"), await told.add_guest("stays")
        recorded = await told.record(host, [member, other, guest, stays])
        for human in (member, other, guest, stays):
            for secret in ("password", "session", "link", "resume", "receipt", "feed", "token"):
                human.said.pop(secret, None)  # kept as a hash, or not at all: never to be found, before or after
            assert _texts_of(human) <= {what.partition(" as ")[0] for what in found_in(told.data_dir, human)}, "blind"

        member_receipt = await told.operate("erasure.now", who=member.email)
        guest_receipt = await told.operate("erasure.now", who=guest.receipt)

        assert (member_receipt["receipt"]["search"], guest_receipt["receipt"]["search"]) == ("clean", "clean")
        for human in (member, guest):
            human.said["id"] = human.user_id or human.participant_id
            assert found_in(told.data_dir, human) == set(), human.label
        for human in (other, stays):
            assert _texts_of(human) <= {what.partition(" as ")[0] for what in found_in(told.data_dir, human)}
        async with opened(told.data_dir, SystemClock(), told.config) as lifecycle:
            for human in (other, stays):
                with lifecycle.files.open(recorded.track_files[human.name]) as track:
                    assert track.read() == TRACK, human.label
            keys = {file_id for file_id, _ in lifecycle.keys.ids()}
            gone = {recorded.film_file, *(recorded.track_files[human.name] for human in (member, guest))}
            assert not gone & keys, "what was sealed could still be opened"
            assert not [file_id for file_id in gone if lifecycle.files.exists(file_id)]
        verified = await told.operate("privacy.verify")
        assert not verified["findings"], verified
        assert own in {room["slug"] for room in await told.operate("room.list")}, "a room belongs to all who use it"
    assert found_in(tmp_path / "data", member) == set(), "after the server stopped"


def _texts_of(human: Human) -> set[str]:
    texts = {"text", "name", "recorded", "track", "seat in it", "meeting", "agenda", "invited"}
    texts |= {"token name", "field value"}
    return texts & set(human.said)


@pytest.mark.usefixtures("unshared")
async def test_no_cache_of_the_running_process_still_holds_an_erased_member(tmp_path: Path):
    """What is only in memory is data too: no dictionary, list or object may still lead to it."""
    name, email = "Q7canarymemoryname", "q7canarymemory@example.org"
    async with running(make_config(tmp_path / "data")) as server, first_admin(server), visiting(server) as member:
        made = await call(server.config, "user.add", {"name": name, "email": email})
        body = {"token": made["link"].partition("#")[2], "name": name, "email": email, "password": PASSWORD}
        assert (await member.json("POST", "/api/v1/links/redeem", body))[0] == 200
        assert (await member.json("GET", "/api/v1/me"))[0] == 200
        assert _held(name, email), "blind"
        await Erasures(server.lifecycle).erase_now(of_account(made["id"]), "operator", "operator")
        del made, body
        gc.collect()

        assert _held(name, email) == []


def _held(name: str, email: str) -> list[str]:
    """The containers of the process in which a text stands that contains one of the two."""
    plain = [each for each in gc.get_objects() if type(each) in (dict, list, tuple, set)]
    parts = [plain[at : at + _AT_ONCE] for at in range(0, len(plain), _AT_ONCE)]
    found = []
    for part in parts:
        if _lead_to(name, email, part):
            found += [repr(each)[:200] for each in part if _lead_to(name, email, [each])]
    return found


_AT_ONCE = 1000
"""Containers of which is asked together: there are millions, and hardly any leads there."""


def _lead_to(name: str, email: str, containers: Sequence[object]) -> bool:
    # not by iterating: other threads have tuples half built, and looking into those ends the process
    return any(name in each or email in each for each in gc.get_referents(*containers) if isinstance(each, str))
