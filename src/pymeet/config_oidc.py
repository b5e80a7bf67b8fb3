"""Signing in through the organisation's OpenID provider: the settings, and what makes sense of them together."""

from collections.abc import Callable, Mapping
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from pymeet.config_section import Section, Switch
from pymeet.config_values import check_issuer, check_scopes, parse_roles
from pymeet.yaml_tree import Place

Claim = Annotated[str, Field(min_length=1, max_length=200)]


class OidcConfig(Section):
    """Signing in with an account at the organisation's OpenID provider (OpenID Connect). Without an issuer it is off."""

    issuer: Annotated[str, AfterValidator(check_issuer)] | None = Field(
        None, examples=["https://login.example.org/realms/staff"]
    )
    """The provider's address, as it calls itself. `/.well-known/openid-configuration` is asked for the rest."""
    client_id: str | None = Field(None, min_length=1, max_length=200, examples=["pymeet"])
    """The name under which this server is registered there. Needed with an issuer."""
    client_secret: SecretStr | None = Field(None, examples=["what the provider's operator gave you"])
    """The secret that belongs to it. Without it pymeet is a public client, which proves itself by PKCE alone."""
    name: str | None = Field(None, min_length=1, max_length=60, examples=["Example Clinic"])
    """What the button on the sign-in page says. Without it: the issuer's host."""
    scopes: Annotated[tuple[str, ...], AfterValidator(check_scopes)] = ("openid", "email", "profile")
    """What the provider is asked to tell. Add the one that carries `role_claim`, where it needs one."""
    create_accounts: Switch = False
    """Whether whoever the provider signs in gets an account, if their e-mail address is verified there."""
    link_by_email: Switch = True
    """Whether an account that is here already is taken for the one with the same verified e-mail address there. Switch
    it off where people can choose their address at the provider themselves."""
    only: Switch = False
    """Whether everybody but administrators must sign in there: passwords, passkeys and links by mail then let no one
    else in."""
    trust_second_factor: Switch = True
    """Whether the provider decides about second factors. If not, who has set one up here is asked for it, too."""
    role_claim: Claim | None = Field(None, examples=["groups"])
    """The claim that says what somebody is; dots lead inwards, as in `realm_access.roles`. With it, roles follow the
    provider at every sign-in: who has none of the values below is a member. The last administrator stays one."""
    roles: Annotated[Mapping[Claim, Literal["member", "admin", "dpo"]], BeforeValidator(parse_roles)] = Field(
        {}, examples=[{"meet-admins": "admin", "privacy": "dpo"}]
    )
    """Which of its values stand for which role: `admin`, `dpo` or `member`; the first of these that fits. In the
    environment it is written `meet-admins=admin,privacy=dpo`."""

    @property
    def label(self) -> str:
        """What the provider is called; empty without one."""
        return self.name or urlsplit(self.issuer or "").hostname or ""


def check_oidc(oidc: OidcConfig, refuse: Callable[[Place, str, str], None]) -> None:
    """What no single setting can tell."""
    if oidc.issuer and not oidc.client_id:
        remedy = "Register pymeet at the provider, and write the name it has there."
        refuse(("oidc", "client_id"), "It is missing; oidc.issuer needs it.", remedy)
    if not oidc.issuer and (oidc.only or oidc.create_accounts):
        place = ("oidc", "only" if oidc.only else "create_accounts")
        refuse(place, "It has no effect without oidc.issuer.", "Set oidc.issuer, or take it out.")
    if oidc.roles and not oidc.role_claim:
        refuse(
            ("oidc", "roles"), "It has no effect without oidc.role_claim.", "Name the claim that holds these values."
        )
    if oidc.role_claim and not oidc.roles:
        remedy = "Write which values stand for which role: {meet-admins: admin}."
        refuse(("oidc", "roles"), "It is missing: with oidc.role_claim alone everybody would be a member.", remedy)
