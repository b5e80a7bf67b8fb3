"""What `pymeet doctor` asks the OpenID provider, where one is configured: what it says about itself, and its keys."""

import asyncio

from pymeet.accounts.oidc_provider import Provider, ProviderError
from pymeet.clock import SystemClock
from pymeet.config import Config
from pymeet.ops.checks import Finding

_REMEDIES = {
    "unreachable": "Check oidc.issuer, the firewall, and that its certificate can be trusted (SSL_CERT_FILE).",
    "another issuer": "Write oidc.issuer exactly as the provider calls itself, with or without a slash at its end.",
}


def check_provider(config: Config) -> list[Finding]:
    """Whether people can be sent there; says nothing, and asks nobody, where none is configured."""
    if config.oidc.issuer is None:
        return []
    try:
        asyncio.run(Provider(config.oidc, SystemClock()).keys())
    except ProviderError as error:
        why = str(error.details["why"])
        remedy = _REMEDIES.get(why, "Open oidc.issuer with /.well-known/openid-configuration behind it in a browser.")
        return [Finding("provider", "fail", f"{config.oidc.issuer} cannot be used ({why}).", remedy)]
    says = f"{config.oidc.label} answers."
    if config.http.public_url is None:
        return [Finding("provider", "warn", says, "Set http.public_url: the provider knows this server by it.")]
    return [Finding("provider", "ok", says)]
