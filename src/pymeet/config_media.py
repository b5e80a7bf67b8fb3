"""How sound and pictures get in and out: the settings, and what makes sense of them together."""

import re
from collections.abc import Callable
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr

from pymeet.config_section import Port, Section, Switch
from pymeet.config_values import check_address, check_token
from pymeet.refusals import refusal
from pymeet.yaml_tree import Place

_TURN_URL = re.compile(r"turns?:(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9.-]{1,253})(:[0-9]{1,5})?(\?transport=(udp|tcp))?")


def check_turn_url(value: str) -> str:
    """The address of a TURN server (RFC 7065). Raises a refusal."""
    if not _TURN_URL.fullmatch(value):
        remedy = "Write one such as turn:turn.example.org:3478 or turns:turn.example.org:443?transport=tcp."
        raise refusal(f"{value!r} is not the address of a TURN server.", remedy)
    return value


class TurnConfig(Section):
    """A TURN server of yours, by which people reach the media port from networks that let nothing else out. It takes
    passwords that are good for some hours (coturn: `use-auth-secret`). Without addresses there is none."""

    urls: tuple[Annotated[str, AfterValidator(check_turn_url)], ...] = Field(
        (), examples=[["turn:turn.example.org:3478", "turns:turn.example.org:443?transport=tcp"]]
    )
    """Its addresses, as browsers get them."""
    secret: Annotated[SecretStr, AfterValidator(check_token)] | None = Field(
        None, examples=["the same as static-auth-secret of coturn"]
    )
    """The secret that both servers know, 16 characters or more. Browsers never see it."""


class MediaConfig(Section):
    """Sound and pictures: one UDP port, and the same number for TCP, which a firewall must let in."""

    port: Port = 8444
    """The port. 0 takes any free one, which only makes sense for tests."""
    addresses: tuple[Annotated[str, AfterValidator(check_address)], ...] = Field(
        (), examples=[["203.0.113.5", "2001:db8::5"]]
    )
    """The addresses that browsers are told to send to, IPv4 and IPv6. Without them: those of the network interfaces.
    Behind NAT, the outside address."""
    tcp: Switch = True
    """Whether TCP is taken, too, for people whose network lets no UDP out. It cannot be where http.port is the same."""
    turn: TurnConfig = TurnConfig()


def check_media(media: MediaConfig, refuse: Callable[[Place, str, str], None]) -> None:
    """What no single setting can tell."""
    if media.turn.urls and media.turn.secret is None:
        remedy = "Write static-auth-secret of the TURN server, or name a file that holds it in secret_file."
        refuse(("media", "turn", "secret"), "It is missing; media.turn.urls needs it.", remedy)
    if media.turn.secret is not None and not media.turn.urls:
        remedy = "Write an address such as turn:turn.example.org:3478."
        refuse(("media", "turn", "urls"), "They are missing; media.turn.secret needs them.", remedy)
