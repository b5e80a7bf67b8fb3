"""`pymeet mail test`: the operator learns at once whether mail works, and what to look at if not."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from post_office import PostOffice, config_for

from pymeet.errors import ConflictError, PymeetError
from pymeet.ops.operations import run
from pymeet.ops.services import open_services


async def tried(tmp_path: Path, office: PostOffice, address: str = "ann@example.org", **mail: Any) -> Any:
    config = config_for(office, **mail).model_copy(update={"data_dir": tmp_path / "data"})
    async with open_services(config) as services:
        return await run(services, "mail.test", {"address": address})


async def test_a_test_mail_goes_out_at_once(tmp_path: Path, office: PostOffice) -> None:
    """Past the outbox, because somebody is waiting for the answer."""
    taken = await tried(tmp_path, office, language="de")

    assert taken == {"to": "ann@example.org", "server": "localhost", "from": "meet@example.org"}
    assert office.delivered[0].message["Subject"] == "E-Mail von pymeet kommt an"


async def test_where_mail_is_off_the_command_says_how_to_switch_it_on(tmp_path: Path, office: PostOffice) -> None:
    """It is off until somebody configures it."""
    with pytest.raises(ConflictError, match=r"mail\.host"):
        await tried(tmp_path, office, host=None)


@pytest.mark.parametrize(
    ("answer", "address", "mail", "said"),
    [
        ("550 No such user", "ann@example.org", {}, "It answered 550.\nCheck the address"),
        ("451 Later", "ann@example.org", {}, "It answered 451.\nTry again"),
        ("", "no address", {}, "Write the address alone"),
        ("", "ann@example.org", {"encryption": "starttls"}, "no STARTTLS"),
        ("", "ann@example.org", {"host": "::1"}, "cannot be reached"),
    ],
)
async def test_a_failure_names_what_to_look_at(
    tmp_path: Path, office: PostOffice, answer: str, address: str, mail: dict[str, Any], said: str
) -> None:
    """Mail servers are set up once a year, by people who then have to look everything up."""
    if answer:
        office.to_recipients.append(answer)

    with pytest.raises(PymeetError) as caught:
        await tried(tmp_path, office, address, **mail)

    assert said in caught.value.message


@pytest.mark.parametrize(
    ("answer", "code", "said"), [("250 OK", 0, "took the mail"), ("550 No", 1, "Check the address")]
)
async def test_the_command_works_without_a_running_server(
    tmp_path: Path, office: PostOffice, answer: str, code: int, said: str
) -> None:
    """Before the first start is the best time to try."""
    office.to_recipients.append(answer)
    (tmp_path / "data").mkdir(mode=0o700)
    file = tmp_path / "pymeet.yaml"
    file.write_text(
        f"data_dir: {tmp_path / 'data'}\n"
        f"mail: {{host: localhost, port: {office.port}, encryption: off, from_address: meet@example.org}}\n"
    )

    process = await asyncio.create_subprocess_exec(
        *(
            sys.executable,
            "-c",
            "from pymeet.cli import main; main()",
            "mail",
            "test",
            "ann@example.org",
            "-c",
            str(file),
        ),
        env={**os.environ, "NO_COLOR": "1"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()

    assert said in output.decode()
    assert process.returncode == code
    assert len(office.delivered) == (code == 0)
