"""The settings of signing in through a provider: what is accepted, what is refused and why, and what the pages then say."""

from pathlib import Path

import pytest

from pymeet.config import Config, load
from pymeet.errors import ConfigError
from pymeet.ops.config_text import redacted
from pymeet.privacy.documents.deadlines import configured
from pymeet.privacy.documents.notice import notice

ISSUER = "https://login.example.org/realms/staff"


def loaded(tmp_path: Path, text: str, environ: dict[str, str] | None = None) -> Config:
    file = tmp_path / "pymeet.yaml"
    file.write_text(f"oidc: {text}")
    return load(file, environ or {})


def test_everything_is_read(tmp_path: Path) -> None:
    """Also from the environment, where a mapping has a form of its own."""
    (tmp_path / "secret").write_text("s3cret\n")
    text = f"{{issuer: '{ISSUER}', client_id: pymeet, client_secret_file: {tmp_path / 'secret'}, role_claim: groups}}"

    config = loaded(tmp_path, text, {"PYMEET_OIDC__ROLES": "heads=admin, privacy=dpo", "PYMEET_OIDC__ONLY": "true"})

    assert config.oidc.issuer == ISSUER
    assert config.oidc.client_secret is not None
    assert config.oidc.client_secret.get_secret_value() == "s3cret"
    assert config.oidc.roles == {"heads": "admin", "privacy": "dpo"}
    assert (config.oidc.only, config.oidc.label) == (True, "login.example.org")
    shown = redacted(config)["oidc"]
    assert (shown["client_secret"], shown["roles"]) == ("[set]", {"heads": "admin", "privacy": "dpo"})


def test_without_it_there_is_none() -> None:
    """Off by default: nobody is asked for anything."""
    assert Config().oidc.issuer is None


@pytest.mark.parametrize("issuer", ["http://127.0.0.1:9000", "http://localhost:9000/x", "https://login.example.org/"])
def test_addresses_of_providers(tmp_path: Path, issuer: str) -> None:
    """Plain HTTP is for a provider on this machine, such as in tests."""
    assert loaded(tmp_path, f"{{issuer: '{issuer}', client_id: pymeet}}").oidc.issuer == issuer


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("{issuer: 'http://login.example.org', client_id: pymeet}", "oidc.issuer"),
        ("{issuer: 'https://login.example.org/?x=1', client_id: pymeet}", "oidc.issuer"),
        ("{issuer: 'https://ann@login.example.org', client_id: pymeet}", "oidc.issuer"),
        ("{issuer: login.example.org, client_id: pymeet}", "oidc.issuer"),
        ("{issuer: 'https://[', client_id: pymeet}", "oidc.issuer"),
        (f"{{issuer: '{ISSUER}'}}", "oidc.client_id"),
        ("{only: true}", "oidc.only"),
        ("{create_accounts: true}", "oidc.create_accounts"),
        (f"{{issuer: '{ISSUER}', client_id: p, scopes: [email]}}", "oidc.scopes"),
        (f"{{issuer: '{ISSUER}', client_id: p, scopes: [openid, 'a b']}}", "oidc.scopes"),
        (f"{{issuer: '{ISSUER}', client_id: p, roles: {{a: admin}}}}", "oidc.roles"),
        (f"{{issuer: '{ISSUER}', client_id: p, role_claim: groups}}", "oidc.roles"),
        (f"{{issuer: '{ISSUER}', client_id: p, role_claim: groups, roles: {{a: king}}}}", "oidc.roles.a"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_place(tmp_path: Path, text: str, key: str) -> None:
    """Otherwise somebody finds out on the first day on which nobody gets in."""
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, text)
    assert key in caught.value.message


def test_the_provider_is_named_as_a_recipient_where_there_is_one(tmp_path: Path) -> None:
    """It learns when members sign in; the notice says so, and says nothing of it otherwise."""
    with_one = loaded(tmp_path, f"{{issuer: '{ISSUER}', client_id: pymeet, name: Example Clinic}}")
    for language, name in (("en", "An OpenID provider"), ("de", "Ein OpenID-Dienst")):
        said = notice(language, with_one, configured(with_one))
        assert name in [each.name for each in said.receivers]
        assert any("Example Clinic" in line for line in said.short)
        silent = notice(language, Config(), configured(Config()))
        assert name not in [each.name for each in silent.receivers]
