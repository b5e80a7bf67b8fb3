"""The mail that says that an archive is ready."""

from pathlib import Path

from live_server import first_admin, make_config, running
from tests.mail.post_office import PostOffice


async def test_the_mail_about_an_archive_comes_in_the_language_that_the_person_chose(tmp_path: Path) -> None:
    """The choice on the profile is for all mails."""
    async with PostOffice() as office:
        mail = {"host": "localhost", "port": office.port, "encryption": "off", "from_address": "meet@example.org"}
        config = make_config(tmp_path / "data", mail=mail)
        async with running(config) as server, first_admin(server) as ada:
            await ada.json("PATCH", "/api/v1/profile", {"language": "de"})
            status, _ = await ada.json("POST", "/api/v1/my-data/exports", {"language": "de"})
            assert status == 202
            (arrived,) = await office.has(1)

    assert arrived.message["Content-Language"] == "de"
