"""The section `mail` of the configuration: what is refused before a single mail could leave the wrong way."""

from pathlib import Path

import pytest

from pymeet.config import Config, load
from pymeet.errors import ConfigError
from pymeet.ops.config_text import redacted
from pymeet.ops.mailer import sender


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "pymeet.yaml"


def test_without_a_host_mail_is_off() -> None:
    """Zero configuration sends nothing to anybody."""
    assert load(None, {}).mail.host is None


def test_the_password_can_stand_in_a_file_and_is_never_shown(file: Path, tmp_path: Path) -> None:
    """The configuration is pasted into tickets."""
    (tmp_path / "password").write_text("canary\n")
    file.write_text(
        "mail: {host: smtp.example.org, from_address: meet@example.org, username: pymeet,"
        f" password_file: {tmp_path / 'password'}}}"
    )

    config = load(file, {})

    assert config.mail.password
    assert config.mail.password.get_secret_value() == "canary"
    assert redacted(config.mail)["password"] == "[set]"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1"])
def test_a_mail_server_on_this_machine_needs_no_encryption(file: Path, host: str) -> None:
    """Nobody is on that way."""
    file.write_text(f"mail: {{host: '{host}', from_address: meet@example.org, encryption: off}}")

    assert load(file, {}).mail.encryption == "off"


@pytest.mark.parametrize(
    ("text", "key", "said"),
    [
        ("host: smtp.example.org", "mail.from_address", "mail.host needs it"),
        ("host: smtp.example.org, from_address: a@b.example, encryption: off", "mail.encryption", "could be read"),
        ("encryption: none", "mail.encryption", "starttls, tls or off"),
        ("username: pymeet", "mail.password", "Give both"),
        ("password: secret", "mail.username", "Give both"),
        ("from_address: 'pymeet <a@b.example>'", "mail.from_address", "meet@example.org"),
        ("from_address: 'a@b.example, c@d.example'", "mail.from_address", "meet@example.org"),
        ("from_address: ann@straße.example", "mail.from_address", "xn--"),
        ('from_address: "a@b.example\\nBcc: c@d.example"', "mail.from_address", "meet@example.org"),
        ("language: fr", "mail.language", "en or de"),
        ("timeout: 30", "mail.timeout", "90s"),
        ("port: 0", "mail.port", "greater than or equal to 1"),
    ],
)
def test_what_cannot_work_is_refused_with_its_key_and_a_remedy(file: Path, text: str, key: str, said: str) -> None:
    """An operator should not learn it from the first mail that does not arrive."""
    file.write_text(f"mail: {{{text}}}")

    with pytest.raises(ConfigError) as caught:
        load(file, {})

    assert f": {key}: " in caught.value.message
    assert said in caught.value.message


@pytest.mark.parametrize(
    ("public_url", "host"),
    [
        ("https://meet.example.org:8443", "meet.example.org"),
        ("https://straße.example", "xn--strae-oqa.example"),
        ("https://192.0.2.10", "example.net"),
        ("https://[2001:db8::1]", "example.net"),
        (None, "example.net"),
    ],
)
def test_mail_servers_are_greeted_with_a_public_name_or_the_senders_domain(public_url: str | None, host: str) -> None:
    """An inner address of the machine would stand in every mail."""
    config = Config.model_validate(
        {"http": {"public_url": public_url}, "mail": {"host": "smtp.example.net", "from_address": "meet@example.net"}}
    )

    assert sender(config).host == host


def test_who_answers_for_the_data_answers_questions() -> None:
    """Otherwise it is whoever reads answers to the mail."""
    settings = {"mail": {"host": "smtp.example.net", "from_address": "meet@example.net"}}

    assert sender(Config.model_validate(settings)).contact == "meet@example.net"
    named = Config.model_validate({**settings, "privacy": {"contact": "privacy@example.net"}})
    assert sender(named).contact == "privacy@example.net"
