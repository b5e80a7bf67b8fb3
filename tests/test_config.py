"""The configuration: what is accepted, and what an operator reads when something is not."""

from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest

from pymeet.config import Config, format_duration, load, parse_duration
from pymeet.errors import ConfigError

OFF_ON_LOOPBACK = "http: {host: 127.0.0.1, tls: {mode: off}}"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "pymeet.yaml"


def refusal(file: Path, text: str, environ: dict[str, str] | None = None) -> str:
    """The message with which `text` is refused."""
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load(file, environ or {})
    return caught.value.message


def test_without_file_and_environment_the_defaults_hold() -> None:
    """Zero configuration must work."""
    config = load(None, {})

    assert config == Config()
    assert (config.http.port, config.media.port, config.http.tls.mode) == (8443, 8444, "self_signed")
    assert config.rooms.guests_allowed


def test_an_empty_file_and_empty_sections_mean_the_defaults(file: Path) -> None:
    """The example has sections with every line commented out; it must load as it is."""
    file.write_text("http:\n  # port: 1\n  tls:\nmedia:\n")

    assert load(file, {}) == Config()


def test_every_section_is_read(file: Path) -> None:
    """A value that stands in the file is in force."""
    file.write_text(
        "data_dir: /srv/meet\nhttp: {port: 80, trusted_proxies: ['10.0.0.0/8'], public_url: 'https://meet.example.org/'}\n"
        "media: {addresses: ['203.0.113.5']}\nrooms: {max_participants: 1000}\nsessions: {idle: 12h}\nlog: {format: json}"
    )

    config = load(file, {})

    assert config.data_dir == Path("/srv/meet")
    assert config.http.trusted_proxies == (ip_network("10.0.0.0/8"),)
    assert config.http.public_url == "https://meet.example.org"
    assert config.media.addresses == ("203.0.113.5",)
    assert config.sessions.idle == timedelta(hours=12)
    assert config.log.format == "json"


def test_the_configuration_cannot_be_changed(file: Path) -> None:
    """It is passed down, so nobody may change it for the others."""
    with pytest.raises(ValueError, match="frozen"):
        load(None, {}).http.port = 1  # type: ignore[misc]


@pytest.mark.parametrize(
    ("text", "line", "key", "remedy"),
    [
        ("http:\n  prot: 1", 2, "http.prot", "Did you mean http.port?"),
        ("port: 1", 1, "port", "Did you mean http.port or media.port or mail.port?"),
        ("colour: red", 1, "colour", "Remove it"),
        ("http:\n  port: '80'", 2, "http.port", "Write digits without quotes"),
        ("http:\n  port: true", 2, "http.port", "Write digits without quotes"),
        ("\n\nhttp:\n  port: 99999", 4, "http.port", "65535"),
        ("http: 3", 1, "http", "Write its settings below it"),
        ("http:\n  port: 1\n  port: 2", 3, "http.port", "Remove one of the two"),
        ("http:\n  public_url: meet.example.org", 2, "http.public_url", "https://meet.example.org"),
        ("http:\n  public_url: https://example.org/meet", 2, "http.public_url", "https://meet.example.org"),
        ("http:\n  trusted_proxies: [10.0.0.1/8]", 2, "http.trusted_proxies.0", "10.0.0.0/8"),
        ("http:\n  tls:\n    mode: on", 3, "http.tls.mode", "self_signed, files or off"),
        ("http:\n  metrics_token: short", 2, "http.metrics_token", "openssl rand"),
        ("media:\n  addresses:\n  - 192.0.2.1\n  - meet.example.org", 4, "media.addresses.1", "not a name"),
        ("media:\n  addresses: 192.0.2.1", 2, "media.addresses", "[a, b]"),
        ("rooms:\n  guests_allowed: perhaps", 2, "rooms.guests_allowed", "true or false"),
        ("sessions:\n  idle: 7", 2, "sessions.idle", "7d"),
        ("sessions:\n  idle: seven days", 2, "sessions.idle", "7d"),
        ("log:\n  level: loud", 2, "log.level", "debug, info, warning or error"),
        ("data_dir: 3", 1, "data_dir", "path"),
    ],
)
def test_a_refusal_names_file_line_key_and_remedy(file: Path, text: str, line: int, key: str, remedy: str) -> None:
    """An operator must find and mend the fault without reading code."""
    message = refusal(file, text)

    what, _, hint = message.partition("\n")
    assert what.startswith(f"{file}, line {line}: {key}")
    assert remedy in hint


def test_all_faults_are_told_at_once(file: Path) -> None:
    """Mending one fault only to meet the next is tiresome."""
    message = refusal(file, "http:\n  port: x\nlog:\n  level: loud")

    assert "http.port" in message
    assert "log.level" in message


@pytest.mark.parametrize("text", ["a: [", "- 1", "a: b: c", "\tx: 1", "just words", "when: 2026-99-99"])
def test_what_is_no_yaml_mapping_is_refused(file: Path, text: str) -> None:
    """Broken YAML gives a message, not a traceback."""
    assert str(file) in refusal(file, text)


def test_a_missing_file_is_refused(file: Path) -> None:
    """A file that was named must be there: the defaults would be a surprise."""
    with pytest.raises(ConfigError, match="pymeet init"):
        load(file, {})


def test_the_environment_wins_over_the_file(file: Path) -> None:
    """Containers are configured this way."""
    file.write_text("http: {port: 1}")

    config = load(
        file,
        {
            "PYMEET_HTTP__PORT": "9000",
            "PYMEET_DATA_DIR": "/srv/meet",
            "PYMEET_MEDIA__ADDRESSES": "192.0.2.1, 192.0.2.2",
            "PYMEET_ROOMS__GUESTS_ALLOWED": "false",
            "PYMEET_SESSIONS__IDLE": "2d",
            "PYMEET_HTTP__METRICS_TOKEN": "1234567890123456",
            "PYMEET_FUZZ": "1",
            "HOME": "/root",
        },
    )

    assert config.http.port == 9000
    assert config.data_dir == Path("/srv/meet")
    assert config.media.addresses == ("192.0.2.1", "192.0.2.2")
    assert not config.rooms.guests_allowed
    assert config.sessions.idle == timedelta(days=2)
    assert config.http.metrics_token
    assert config.http.metrics_token.get_secret_value() == "1234567890123456"


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("PYMEET_HTTP__PROT", "1", "Did you mean http.port"),
        ("PYMEET_HTTP__PORT", "many", "not a whole number"),
        ("PYMEET_HTTP__METRICS_TOKEN_FILE", "/nowhere", "cannot be read"),
    ],
)
def test_a_fault_in_the_environment_names_the_variable(variable: str, value: str, said: str) -> None:
    """A misspelt variable must not be overlooked."""
    with pytest.raises(ConfigError, match=said) as caught:
        load(None, {variable: value})

    assert f"environment variable {variable}" in caught.value.message


@pytest.mark.parametrize(
    ("text", "environ", "said"),
    [
        (
            "",
            {"PYMEET_HTTP__TLS__MODE": "off"},
            "environment variable PYMEET_HTTP__TLS__MODE: Plain HTTP on 0.0.0.0 could be read by anybody on the way.",
        ),
        (
            "http:\n  tls:\n    mode: 'off'\n",
            {},
            "FILE, line 3: http.tls.mode: Plain HTTP on 0.0.0.0 could be read by anybody on the way.",
        ),
        ("http:\n  port: many\n", {}, "FILE, line 2: http.port: 'many' is not a whole number."),
        ("", {"PYMEET_HTTP__PORT": "70000"}, "environment variable PYMEET_HTTP__PORT: 70000 is not acceptable."),
    ],
)
def test_a_refusal_says_where_and_then_what(file: Path, text: str, environ: dict[str, str], said: str) -> None:
    """It is read by somebody whose server does not start; a variable's name need not be said in a second spelling."""
    assert refusal(file, text, environ).splitlines()[0] == said.replace("FILE", str(file))


def test_a_secret_can_stand_in_a_file_of_its_own(file: Path, tmp_path: Path) -> None:
    """So that the configuration can be shown and kept without it."""
    (tmp_path / "token").write_text("a-very-long-secret\n")
    file.write_text(f"http: {{metrics_token_file: {tmp_path / 'token'}}}")

    token = load(file, {}).http.metrics_token

    assert token
    assert token.get_secret_value() == "a-very-long-secret"


def test_a_secret_given_twice_is_refused(file: Path, tmp_path: Path) -> None:
    """Nobody could tell which of the two counts."""
    message = refusal(file, f"http:\n  metrics_token: 1234567890123456x\n  metrics_token_file: {tmp_path}")

    assert "both" in message


def test_a_refused_secret_is_not_repeated(file: Path) -> None:
    """Messages end up in logs and tickets."""
    assert "canary" not in refusal(file, "http: {metrics_token: canary}")
    assert "canary" not in refusal(file, "http: {metrics_token: [canary]}")


def test_plain_http_is_refused_where_others_could_listen(file: Path) -> None:
    """Passwords and media keys would cross the network in the clear."""
    assert "http.tls.mode" in refusal(file, "http: {tls: {mode: 'off'}}")

    file.write_text(OFF_ON_LOOPBACK)
    assert load(file, {}).http.tls.mode == "off"
    file.write_text("http: {trusted_proxies: ['10.1.0.0/16'], tls: {mode: 'off'}}")
    assert load(file, {}).http.tls.mode == "off"


def test_certificate_files_and_their_mode_go_together(file: Path) -> None:
    """A file without the mode would silently have no effect."""
    assert "http.tls.cert_file" in refusal(file, "http: {tls: {mode: files}}")
    assert "http.tls.key_file" in refusal(file, "http: {tls: {mode: files, cert_file: a.pem}}")
    assert "no effect" in refusal(file, "http: {tls: {cert_file: a.pem}}")


@pytest.mark.parametrize(
    ("host", "loopback"), [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False)]
)
def test_loopback_is_recognised(file: Path, host: str, loopback: bool) -> None:
    """What is advertised and whether plain HTTP is allowed depend on it."""
    file.write_text(f"http: {{host: '{host}'}}")

    assert load(file, {}).listens_on_loopback is loopback


@pytest.mark.parametrize("text", ["90s", "15min", "12h", "7d"])
def test_a_duration_is_written_as_it_is_read(text: str) -> None:
    """`config show` must show what can be put into the file."""
    assert format_duration(parse_duration(text)) == text
