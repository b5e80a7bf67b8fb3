"""The log gate: whatever happens on a server, nothing that names anybody reaches its log at `info` and above."""

import json
from pathlib import Path

from tests.gates.story import Human, Story, story, token


async def test_a_whole_day_leaves_no_name_address_or_token_in_the_log(tmp_path: Path):
    """Logs are copied to places that no retention period reaches."""
    async with story(tmp_path) as told:
        admin = await told.add_member("admin", admin=True)
        told.slug = (await told.ask(admin, "POST", "/api/v1/rooms", {"name": admin.made("room")}, 201))["slug"]
        member = await told.add_member("member")
        await told.say(member)
        await told.automate(member)
        await told.describe(member)
        guest = await told.add_guest("guest")
        await told.meeting_recorded(admin)
        await told.record(admin, [admin, member, guest])
        stranger = await _stranger(told)
        await _operator(told, admin, member, guest)
        people = [admin, member, guest, stranger]

    log = told.process.output
    assert "started" in log, "the log was not captured"
    leaked = {
        f"{human.label}: {what}"
        for human in people
        for what, text in human.said.items()
        if text and text.lower() in log.lower()
    }
    assert leaked == set()


async def _stranger(told: Story) -> Human:
    """Somebody who tries what should not work, with texts that would be remembered if anything were logged."""
    human = Human("stranger", session=await told.browser())
    assert human.session is not None
    email = human.said["email"] = f"{token('mail')}@example.org"
    await told.ask(human, "POST", "/api/v1/sign-in", {"email": email, "password": human.made("password")}, 401)
    await told.ask(human, "POST", "/api/v1/links/redeem", {"token": human.made("link"), "password": "x" * 12}, 404)
    await told.ask(human, "POST", "/api/v1/guest-data", {"receipt": f"pmg1.{human.made('receipt')}"}, 401)
    await told.ask(human, "GET", f"/{human.made('path')}?{human.made('query')}={human.made('value')}", status=404)
    async with human.session.post(
        "/api/v1/sign-in",
        data=json.dumps({human.made("key"): human.made("field")}),
        headers={"X": human.made("header")},
    ) as response:
        assert response.status == 415
    async with human.session.ws_connect(f"/ws/{told.slug}") as socket:
        await socket.send_str(
            json.dumps({"type": "join", "v": 1, "name": human.made("join"), "oops": human.made("oops")})
        )
        await socket.receive()
    async with human.session.ws_connect(f"/ws/{told.slug}") as socket:
        await socket.send_str(json.dumps({"type": "join", "v": 1, "name": human.made("publisher")}))
        await socket.receive()
        sdp = f"v=0\r\no={human.made('sdp')}"
        await socket.send_str(json.dumps({"type": "publish", "sdp": sdp, "tracks": []}))
        await socket.receive()
    return human


async def _operator(told: Story, admin: Human, member: Human, guest: Human) -> None:
    await told.operate("user.list")
    await told.operate("room.list")
    await told.operate("request.add", right="access", user=member.email)
    await told.operate("export.build", who=member.email)
    await told.operate("backup.make")
    await told.operate("erasure.now", who=guest.receipt)
    await told.operate("erasure.now", who=member.email)
    await told.operate("room.delete", slug=told.slug)
