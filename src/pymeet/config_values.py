"""What single settings may be: checks that need to know nothing of the other settings, each with its remedy."""

import re
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from pydantic import SecretStr

from pymeet.refusals import refusal

LINE_LENGTH = 300
"""Characters of a line that is shown to everybody."""


def off_is_a_word(value: object) -> object:
    """The value, or the word that YAML took for false."""
    # YAML 1.1 reads a bare `off` as false; here it is the word.
    return "off" if value is False else value


def check_address(value: str) -> str:
    """An IP address that others can send to. Raises a refusal."""
    try:
        address = ip_address(value)
    except ValueError:
        raise refusal(f"{value!r} is not an IP address.", "Write an address such as 192.0.2.10, not a name.") from None
    if address.is_unspecified:
        raise refusal(f"{value} is not an address others can send to.", "Write the address of this machine.")
    return str(address)


def check_public_url(value: str) -> str:
    """Scheme and host of a site. Raises a refusal."""
    try:
        url = urlsplit(value)
        usable = url.scheme in ("http", "https") and url.hostname and url.port != 0
    except ValueError:
        usable = False
    if not usable or url.path not in ("", "/") or url.query or url.fragment or "@" in url.netloc:
        raise refusal(f"{value!r} is not the address of a site.", "Write scheme and host: https://meet.example.org.")
    return f"{url.scheme}://{url.netloc}"


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach `host`, an address or a name."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def check_issuer(value: str) -> str:
    """The address of an OpenID provider (OpenID Connect Discovery 1.0, section 2). Raises a refusal."""
    try:
        url = urlsplit(value)
        host = url.hostname or ""
        usable = (
            bool(host) and url.port != 0 and (url.scheme == "https" or (url.scheme == "http" and is_loopback(host)))
        )
    except ValueError:
        usable = False
    if not usable or url.query or url.fragment or "@" in url.netloc or not value.isascii() or not value.isprintable():
        raise refusal(f"{value!r} is not the address of a provider.", "Write it with https://, as the provider does.")
    return value


def check_scopes(value: tuple[str, ...]) -> tuple[str, ...]:
    """The scopes of a request (RFC 6749, section 3.3). Raises a refusal."""
    if "openid" not in value or not all(re.fullmatch(r"[!#-\[\]-~]+", scope) for scope in value):
        raise refusal("These are not scopes of OpenID Connect.", "Write words, `openid` among them: [openid, email].")
    return value


def parse_roles(value: object) -> object:
    """A mapping, also from the form that the environment has: `heads=admin,office=dpo`."""
    if not isinstance(value, str):
        return value
    pairs = [part.partition("=") for part in value.split(",") if part.strip()]
    return {name.strip(): role.strip() for name, _, role in pairs}


def parse_network(value: object) -> IPv4Network | IPv6Network:
    """A network in CIDR notation. Raises a refusal."""
    if isinstance(value, IPv4Network | IPv6Network):
        return value
    try:
        return ip_network(value if isinstance(value, str) else "")
    except ValueError:
        raise refusal(f"{value!r} is not a network.", "Write its first address and size: 10.0.0.0/8.") from None


def check_token(value: SecretStr) -> SecretStr:
    """A bearer token that is long enough. Raises a refusal."""
    if len(value.get_secret_value()) < 16:
        raise refusal("The token is shorter than 16 characters.", "Make one with `openssl rand -hex 32`.")
    return value


def check_mailbox(value: str) -> str:
    """An address to send mail from. Raises a refusal."""
    # The part before the @ is RFC 5322's dot-atom; quoting and comments are for nobody's good.
    atoms = r"[\w!#$%&'*+/=?^`{|}~-]+(\.[\w!#$%&'*+/=?^`{|}~-]+)*"
    if len(value) > 254 or not re.fullmatch(atoms + r"@([a-z0-9-]{1,63}\.)*[a-z0-9-]{1,63}", value, re.ASCII | re.I):
        remedy = "Write one such as meet@example.org; a name with other letters in its xn-- form."
        raise refusal(f"{value!r} is not an address to send mail from.", remedy)
    return value


def check_line(value: str) -> str:
    """One line of text for everybody to read. Raises a refusal."""
    line = value.strip()
    if not 1 <= len(line) <= LINE_LENGTH or not line.isprintable():
        raise refusal("It is not one line of text.", f"Write 1 to {LINE_LENGTH} characters without line breaks.")
    return line


def check_time_of_day(value: object) -> str:
    """Hours and minutes. Raises a refusal."""
    # YAML 1.1 reads a bare 12:30 as a number of the sexagesimal system; here it is a time.
    text = f"{value // 60:02}:{value % 60:02}" if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", text):
        raise refusal(f"{value!r} is not a time of day.", 'Write hours and minutes in UTC: "02:00".')
    return text
