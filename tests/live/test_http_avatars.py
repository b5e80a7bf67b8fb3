"""Pictures of members: whatever is sent, what is handed out was drawn here."""

import io
import struct
import zlib
from pathlib import Path

from live_server import PASSWORD, Visitor, first_admin, make_config, running, visiting
from PIL import Image

from pymeet.ops.client import call

AVATAR = "/api/v1/profile/avatar"


def picture(kind: str, size: tuple[int, int] = (400, 300), **more: object) -> bytes:
    """A red picture; metadata, where wanted, is part of it."""
    made = io.BytesIO()
    Image.new("RGB", size, (200, 30, 30)).save(made, kind, **more)
    return made.getvalue()


def photo() -> bytes:
    """A JPEG that says where it was taken, and what camera took it."""
    exif = Image.Exif()
    exif[0x010F] = "SECRETCAMERA"
    exif[0x0112] = 6  # to be turned by a quarter
    exif.get_ifd(0x8825)[1] = "N"
    return picture("JPEG", exif=exif.tobytes(), comment=b"SECRETCOMMENT")


def bomb() -> bytes:
    """A PNG of a few hundred bytes that says it is 60,000 pixels wide and high."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(100_000))) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


async def put(visitor: Visitor, data: bytes, kind: str = "image/png") -> int:
    async with visitor.http.put(AVATAR, data=io.BytesIO(data), headers={"Content-Type": kind}) as response:
        return response.status


async def test_a_picture_is_drawn_anew_and_shown_to_members_only(tmp_path: Path) -> None:
    """Nothing of the file that was sent is kept: no place, no camera, no second image behind the first."""
    async with running(make_config(tmp_path / "data")) as server, first_admin(server) as ada, visiting(server) as eve:
        user = (await ada.json("GET", "/api/v1/me"))[1]["user"]
        address = f"/api/v1/users/{user['id']}/avatar"
        assert user["avatar"] is False
        async with ada.http.get(address) as response:
            assert response.status == 404

        assert await put(ada, photo(), "image/jpeg") == 204
        assert (await ada.json("GET", "/api/v1/me"))[1]["user"]["avatar"] is True
        async with ada.http.get(address) as response:
            assert (response.status, response.content_type) == (200, "image/webp")
            assert "private" in response.headers["Cache-Control"]
            shown, etag = await response.read(), response.headers["ETag"]
        assert b"SECRET" not in shown
        with Image.open(io.BytesIO(shown)) as drawn:
            assert drawn.size == (256, 256)
            assert not drawn.getexif()
        async with ada.http.get(address, headers={"If-None-Match": etag}) as response:
            assert response.status == 304
        async with eve.http.get(address) as response:
            assert response.status == 401

        files = list((tmp_path / "data" / "files").rglob("*.sealed"))
        assert await put(ada, picture("PNG")) == 204
        assert not [path for path in files if path.exists()]
        assert (await ada.json("DELETE", AVATAR))[0] == 204
        assert (await ada.json("DELETE", AVATAR))[0] == 204
        assert not list((tmp_path / "data" / "files").rglob("*.sealed"))
        assert (await ada.json("GET", "/api/v1/me"))[1]["user"]["avatar"] is False


async def test_guests_see_the_picture_of_who_is_in_the_room_with_them(tmp_path: Path) -> None:
    """By a secret that only the room knows, for as long as that person is there; it does not tell the account."""
    async with running(make_config(tmp_path / "data")) as server, first_admin(server) as ada, visiting(server) as eve:
        assert await put(ada, picture("PNG")) == 204
        slug, other = await ada.make_room("Weekly"), await ada.make_room("Other")
        host = await ada.http.ws_connect(f"/ws/{slug}")
        await host.send_json({"type": "join", "v": 1, "name": "Ada"})
        await host.receive_json()
        guest = await eve.http.ws_connect(f"/ws/{slug}")
        await guest.send_json({"type": "join", "v": 1, "name": "Eve"})
        joined = await guest.receive_json()
        pictures = {each["name"]: each.get("picture") for each in joined["participants"]}
        assert pictures["Eve"] is None
        user = (await ada.json("GET", "/api/v1/me"))[1]["user"]
        assert user["id"] not in str(joined)
        address = f"/api/v1/rooms/{slug}/pictures/{pictures['Ada']}"
        async with eve.http.get(address) as response:
            assert (response.status, response.content_type) == (200, "image/webp")
            assert response.headers["Cache-Control"] == "private, no-cache"
        async with eve.http.get(address.replace(slug, other)) as response:
            assert response.status == 404
        async with eve.http.get(address[:-43] + "x" * 43) as response:
            assert response.status == 404
        async with eve.http.get(address[:-65] + "x" * 65) as response:
            assert response.status == 404
        await host.send_json({"type": "leave"})
        while (await guest.receive_json())["type"] != "participant_left":
            pass
        async with eve.http.get(address) as response:
            assert response.status == 404
        await host.close()
        await guest.close()


async def test_who_is_not_in_the_room_any_more_sees_no_picture_of_it(tmp_path: Path) -> None:
    """Whoever was removed, or left, must not go on looking while the others are still there, who notice nothing."""
    async with (
        running(make_config(tmp_path / "data")) as server,
        first_admin(server) as ada,
        visiting(server) as eve,
        visiting(server) as kim,
    ):
        assert await put(ada, picture("PNG")) == 204
        slug = await ada.make_room("Weekly")
        host = await ada.http.ws_connect(f"/ws/{slug}")
        await host.send_json({"type": "join", "v": 1, "name": "Ada"})
        await host.receive_json()
        seen, sockets, seats = {}, {}, {}
        for name, visitor in (("Eve", eve), ("Kim", kim)):
            sockets[name] = await visitor.http.ws_connect(f"/ws/{slug}")
            await sockets[name].send_json({"type": "join", "v": 1, "name": name})
            joined = await sockets[name].receive_json()
            seats[name] = joined["you"]
            (seen[name],) = [each["picture"] for each in joined["participants"] if each["name"] == "Ada"]
        assert seen["Eve"] != seen["Kim"]
        addresses = {name: f"/api/v1/rooms/{slug}/pictures/{each}" for name, each in seen.items()}
        for address in addresses.values():
            async with eve.http.get(address) as response:
                assert response.status == 200

        await host.send_json({"type": "remove", "participant": seats["Eve"]})
        await sockets["Kim"].send_json({"type": "leave"})
        gone = set()
        while gone != set(seats.values()):
            told = await host.receive_json()
            gone |= {told["participant"]} if told["type"] == "participant_left" else set()

        for address in addresses.values():
            async with eve.http.get(address, headers={"If-None-Match": "*"}) as response:
                assert response.status == 404
        for socket in (host, *sockets.values()):
            await socket.close()


async def test_what_is_no_picture_changes_nothing(tmp_path: Path) -> None:
    """The type that is claimed decides nothing, nor does the first look at the bytes."""
    async with running(make_config(tmp_path / "data")) as server, first_admin(server) as ada, visiting(server) as eve:
        for data, kind, status in (
            (b"<svg onload=alert(1)>", "image/png", 400),
            (picture("GIF"), "image/png", 400),
            (picture("PNG")[:200], "image/png", 400),
            (b"", "image/webp", 400),
            (bomb(), "image/png", 400),
            (picture("PNG"), "image/svg+xml", 415),
            (picture("PNG"), "text/plain", 415),
            (bytes(2_000_001), "image/png", 413),
        ):
            assert await put(ada, data, kind) == status, kind
        assert await put(eve, picture("PNG")) == 401
        assert await put(ada, picture("WEBP"), "image/png") == 204  # the bytes count


async def test_an_erased_member_leaves_no_picture(tmp_path: Path) -> None:
    """Key and file go with the account."""
    config = make_config(tmp_path / "data")
    async with running(config) as server, first_admin(server) as ada, visiting(server) as bob:
        _, invited = await ada.json("POST", "/api/v1/admin/invitations", {"email": "bob@example.org", "name": "Bob"})
        link = {"token": invited["link"].partition("#")[2], "password": PASSWORD}
        await bob.json("POST", "/api/v1/links/redeem", link)
        assert await put(bob, picture("PNG")) == 204
        (file,) = (tmp_path / "data" / "files").rglob("*.sealed")
        settings = config.model_copy(update={"http": server.config.http})
        await call(settings, "erasure.now", {"who": "bob@example.org"})
        assert not file.exists()
        async with ada.http.get(f"/api/v1/users/{invited['user']['id']}/avatar") as response:
            assert response.status == 404
