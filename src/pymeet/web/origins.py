"""Who asks, and from where: the client's address, the scheme it used, and whether its page is one of ours.

What a proxy says (`X-Forwarded-*`) is believed only when it connects from an address in `http.trusted_proxies`.
"""

from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

from aiohttp import web

from pymeet.errors import NotAllowedError
from pymeet.web.bearer import bears_token
from pymeet.web.cookies import has_session_cookie
from pymeet.web.headers import safe_host
from pymeet.web.parts import PARTS

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_CROSS_ORIGIN_PATHS = ("/whip/", "/whep/")
"""Here no cookie counts, so any page may ask (RFC 9725, section 4.6)."""

Networks = tuple[IPv4Network | IPv6Network, ...]


def is_https(request: web.BaseRequest, trusted: Networks) -> bool:
    """Whether the client speaks TLS, to us or to a trusted proxy."""
    if request.secure:
        return True
    return is_trusted(request.remote, trusted) and _last(request, "X-Forwarded-Proto").lower() == "https"


def client_address(request: web.BaseRequest, trusted: Networks) -> str:
    """The address of the client: the last one in the chain of proxies that is not itself a trusted proxy."""
    address = request.remote or ""
    chain = ",".join(request.headers.getall("X-Forwarded-For", [])).split(",")
    while chain and is_trusted(address, trusted):
        claimed = chain.pop().strip()
        if not _is_address(claimed):
            break
        address = claimed
    return address


def neighbourhood(address: str) -> str:
    """What counts as one client where attempts are counted: an IPv4 address, or the /64 that an IPv6 host can roam in."""
    if not _is_address(address):
        return address
    parsed = ip_address(address)
    if isinstance(parsed, IPv6Address):
        return str(parsed.ipv4_mapped or IPv6Network((int(parsed) >> 64 << 64, 64)))
    return str(parsed)


def is_trusted(address: str | None, trusted: Networks) -> bool:
    """Whether `address` lies in one of the networks."""
    if not address or not trusted or not _is_address(address):
        return False
    parsed = ip_address(address)
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    return any(parsed in network for network in trusted)


def own_origin(request: web.BaseRequest, trusted: Networks) -> str | None:
    """`scheme://host[:port]` as the client wrote it; None without a usable Host."""
    host = safe_host(request)
    return f"{'https' if is_https(request, trusted) else 'http'}://{host}".lower() if host else None


def public_base(request: web.Request) -> str:
    """The address that goes into links: the configured one, otherwise the one that this request came by."""
    http = request.app[PARTS].config.http
    if http.public_url:
        return http.public_url.rstrip("/")
    return own_origin(request, http.trusted_proxies) or ""


def check_origin(request: web.Request) -> None:
    """Refuses a request that a foreign page made; NotAllowedError.

    Applies to whatever changes something and to WebSockets. A request without `Origin` comes from no browser page, or
    from an old one: it passes only when it carries no session that a foreign page could ride on. Where an API token is
    shown, which no browser adds by itself, no cookie counts, and so there is nothing to refuse.
    """
    websocket = request.headers.get("Upgrade", "").lower() == "websocket"
    if (request.method in _SAFE_METHODS and not websocket) or request.path.startswith(_CROSS_ORIGIN_PATHS):
        return
    if bears_token(request):
        return
    refused = NotAllowedError("This request comes from another site.", code="foreign_origin")
    origins = request.headers.getall("Origin", [])
    if not origins:
        if has_session_cookie(request) or request.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none"):
            raise refused
        return
    http = request.app[PARTS].config.http
    allowed = {own_origin(request, http.trusted_proxies)}
    if http.public_url:
        public = urlsplit(http.public_url)
        allowed.add(f"{public.scheme}://{public.netloc}".lower())
    if len(origins) != 1 or origins[0].lower() not in allowed:
        raise refused


def _last(request: web.BaseRequest, name: str) -> str:
    """The newest entry of a list header: the one that the proxy next to us wrote."""
    return ",".join(request.headers.getall(name, [])).split(",")[-1].strip()


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
