"""Second factors, recovery codes, passkeys and known devices, through their services over a real database."""

import asyncio
import dataclasses
import os
from dataclasses import dataclass
from typing import Any

import pyotp
import pytest
from sqlalchemy import Connection, select
from tests.support.authenticator import USER_PRESENT, Authenticator

from pymeet.accounts import totp
from pymeet.accounts.devices import Browser, NewDeviceMail, device_name
from pymeet.accounts.factors import Factors
from pymeet.accounts.model import User
from pymeet.accounts.passkeys import Site, site_of
from pymeet.accounts.service import Accounts
from pymeet.accounts.sign_in import TRIES, SignIn
from pymeet.clock import ManualClock
from pymeet.db.engine import Database
from pymeet.db.schema import audit_events, known_devices, mail_outbox, metadata
from pymeet.errors import (
    ConflictError,
    InvalidInputError,
    NotFoundError,
    NotSignedInError,
    PymeetError,
    TooManyError,
)

PASSWORD = "seven purple lanterns drift"
SITE = Site("meet.example.org", "https://meet.example.org")
HERE = Browser(None, "Firefox (Linux)")
MAIL = NewDeviceMail("en", "https://meet.example.org/security")
DAY_S = 86_400


@dataclass
class Scene:
    """Ann, who has a password, and everything that she signs in by."""

    clock: ManualClock
    db: Database
    accounts: Accounts
    factors: Factors
    sign_in: SignIn
    failed: list[str]
    ann: User

    def code(self, secret: str, *, steps: int = 0) -> str:
        """What an app shows now, or a number of steps later."""
        return pyotp.TOTP(secret).generate_otp(self.clock.now_ms() // totp.STEP_MS + steps)

    async def with_app(self) -> tuple[str, list[str]]:
        """Sets an app up; its secret and the recovery codes. The code that proved it is over when this returns."""
        secret = self.factors.begin_totp(self.ann, "meet.example.org").secret
        codes = await self.factors.confirm_totp(self.ann, self.code(secret))
        self.clock.advance(90)
        return secret, codes

    async def with_passkey(self, authenticator: Authenticator) -> str:
        """Sets a passkey up; its id."""
        options = await self.factors.begin_passkey(self.ann, SITE)
        passkey, _ = await self.factors.add_passkey(self.ann, "Laptop", authenticator.create(options))
        return passkey.id

    async def ticket(self, browser: Browser = HERE) -> str:
        """What Ann gets for her password."""
        challenge = await self.sign_in.challenge(self.ann, browser, SITE)
        assert challenge is not None
        return challenge.ticket

    async def known_browser(self, *, remember: bool = False) -> Browser:
        """One with which Ann signed in."""
        token = await self.sign_in.devices.arrived(self.ann, HERE, remember=remember, mail=None)
        return dataclasses.replace(HERE, token=token)


@pytest.fixture
async def scene(db: Database, clock: ManualClock, accounts: Accounts) -> Scene:
    _, token = await accounts.add_user("Ann", "ann@example.org")
    ann = (await accounts.links.redeem(token, None, None, PASSWORD)).user
    factors, failed = Factors(db, clock, os.urandom(32)), []
    sign_in = SignIn(db, clock, factors, remember_ms=30 * DAY_S * 1000, failed=failed.append)
    return Scene(clock, db, accounts, factors, sign_in, failed, ann)


def code_of(caught: pytest.ExceptionInfo[PymeetError]) -> str:
    return caught.value.code


async def stored(db: Database) -> str:
    """Every value in the database, as one text."""

    def read(conn: Connection) -> str:
        return repr([conn.execute(select(table)).all() for table in metadata.sorted_tables])

    async with db.read() as conn:
        return await conn.run_sync(read)


# Authenticator app


async def test_nobody_is_asked_for_what_they_have_not_set_up(scene: Scene):
    """A second factor is one's own choice; without one the password is enough."""
    assert await scene.sign_in.challenge(scene.ann, HERE, SITE) is None


async def test_the_code_of_an_app_completes_the_password(scene: Scene):
    """The common case, with an app as people have it (RFC 6238)."""
    secret, _ = await scene.with_app()

    challenge = await scene.sign_in.challenge(scene.ann, HERE, SITE)

    assert challenge is not None
    assert challenge.methods == ("totp", "recovery")
    assert await scene.sign_in.by_code(challenge.ticket, scene.code(secret), HERE) == scene.ann.id


async def test_a_secret_counts_only_when_a_code_proved_it(scene: Scene):
    """Who scans the picture wrongly must not be locked out by it."""
    secret = scene.factors.begin_totp(scene.ann, "meet.example.org").secret
    with pytest.raises(InvalidInputError) as caught:
        await scene.factors.confirm_totp(scene.ann, "000000" if scene.code(secret) != "000000" else "111111")

    assert code_of(caught) == "wrong_code"
    assert await scene.sign_in.challenge(scene.ann, HERE, SITE) is None


async def test_setting_up_ends_after_ten_minutes(scene: Scene):
    """A secret on a forgotten screen is not to become the way in."""
    secret = scene.factors.begin_totp(scene.ann, "meet.example.org").secret
    scene.clock.advance(601)

    with pytest.raises(NotFoundError) as caught:
        await scene.factors.confirm_totp(scene.ann, scene.code(secret))

    assert code_of(caught) == "no_setup"


async def test_a_code_is_good_once(scene: Scene):
    """Somebody who looked over the shoulder has nothing, on the same ticket or another (RFC 6238, section 5.2)."""
    secret, _ = await scene.with_app()
    code = scene.code(secret)
    await scene.sign_in.by_code(await scene.ticket(), code, HERE)

    with pytest.raises(NotSignedInError) as caught:
        await scene.sign_in.by_code(await scene.ticket(), code, HERE)

    assert code_of(caught) == "wrong_code"


async def test_the_code_that_set_the_app_up_does_not_sign_in(scene: Scene):
    """It was used as well."""
    secret = scene.factors.begin_totp(scene.ann, "meet.example.org").secret
    code = scene.code(secret)
    await scene.factors.confirm_totp(scene.ann, code)

    with pytest.raises(NotSignedInError):
        await scene.sign_in.by_code(await scene.ticket(), code, HERE)


@pytest.mark.parametrize(("steps", "good"), [(-2, False), (-1, True), (1, True), (2, False)])
async def test_clocks_may_differ_by_one_step(scene: Scene, steps: int, good: bool):
    """Half a minute is common; more would only help who guesses."""
    secret, _ = await scene.with_app()
    ticket, code = await scene.ticket(), scene.code(secret, steps=steps)

    if good:
        assert await scene.sign_in.by_code(ticket, code, HERE) == scene.ann.id
    else:
        with pytest.raises(NotSignedInError):
            await scene.sign_in.by_code(ticket, code, HERE)


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "１２３４５６", "12 34 5x"])
async def test_what_is_no_code_is_wrong(scene: Scene, code: str):
    """Whatever somebody types gets the one answer."""
    await scene.with_app()

    with pytest.raises(NotSignedInError):
        await scene.sign_in.by_code(await scene.ticket(), code, HERE)


# Tickets


async def test_a_ticket_allows_five_tries(scene: Scene):
    """The sixth fails even with the right code: the password is asked for again."""
    secret, _ = await scene.with_app()
    ticket = await scene.ticket()
    for _ in range(TRIES):
        with pytest.raises(NotSignedInError):
            await scene.sign_in.by_code(ticket, "no", HERE)

    with pytest.raises(NotSignedInError) as caught:
        await scene.sign_in.by_code(ticket, scene.code(secret), HERE)

    assert code_of(caught) == "ticket_void"
    assert scene.failed == [scene.ann.id] * TRIES


async def test_a_ticket_ends_after_five_minutes_and_with_its_use(scene: Scene):
    """What was proved a while ago is proved no more."""
    secret, _ = await scene.with_app()
    old, used = await scene.ticket(), await scene.ticket()
    await scene.sign_in.by_code(used, scene.code(secret), HERE)
    scene.clock.advance(300)

    for ticket in (old, used, "made up"):
        with pytest.raises(NotSignedInError) as caught:
            await scene.sign_in.by_code(ticket, scene.code(secret), HERE)
        assert code_of(caught) == "ticket_void"


async def test_who_has_the_password_cannot_try_codes_through(scene: Scene):
    """Fresh tickets do not help: thirty wrong codes an hour for an account. Its owner gets in by other ways, and in a
    browser of theirs by the app."""
    secret, recovery = await scene.with_app()
    own = await scene.known_browser()
    for _ in range(30):
        with pytest.raises(NotSignedInError):
            await scene.sign_in.by_code(await scene.ticket(), "no", HERE)

    with pytest.raises(TooManyError):
        await scene.sign_in.by_code(await scene.ticket(), scene.code(secret), HERE)

    assert await scene.sign_in.by_code(await scene.ticket(), scene.code(secret), own) == scene.ann.id
    assert await scene.sign_in.by_recovery_code(await scene.ticket(), recovery[0]) == scene.ann.id


# Recovery codes


async def test_a_recovery_code_lets_in_once(scene: Scene):
    """Ten of them, for the day the phone is lost; how they are typed makes no difference."""
    _, codes = await scene.with_app()
    assert len(set(codes)) == 10

    typed = codes[0].upper().replace("-", " ")
    assert await scene.sign_in.by_recovery_code(await scene.ticket(), typed) == scene.ann.id
    with pytest.raises(NotSignedInError):
        await scene.sign_in.by_recovery_code(await scene.ticket(), codes[0])

    assert (await scene.factors.security(scene.ann)).recovery_codes_left == 9


async def test_fresh_codes_void_the_old_ones(scene: Scene):
    """Who lost the paper makes new ones."""
    _, old = await scene.with_app()

    fresh = await scene.factors.new_recovery_codes(scene.ann)

    with pytest.raises(NotSignedInError):
        await scene.sign_in.by_recovery_code(await scene.ticket(), old[0])
    assert await scene.sign_in.by_recovery_code(await scene.ticket(), fresh[0]) == scene.ann.id


async def test_without_a_second_factor_there_are_no_codes(scene: Scene):
    """They would be a way in that nobody thinks of."""
    with pytest.raises(ConflictError):
        await scene.factors.new_recovery_codes(scene.ann)
    await scene.with_app()

    await scene.factors.remove_totp(scene.ann)

    assert (await scene.factors.security(scene.ann)).recovery_codes_left == 0
    assert await scene.sign_in.challenge(scene.ann, HERE, SITE) is None


async def test_nothing_that_opens_the_account_stands_in_the_database(scene: Scene):
    """Whoever reads a copy of it cannot make codes, use one, or pose as a known browser."""
    secret, codes = await scene.with_app()
    own = await scene.known_browser(remember=True)

    everything = await stored(scene.db)

    for text in (secret, *codes, *(code.replace("-", "") for code in codes), own.token or ""):
        assert text not in everything


async def test_a_sealed_secret_belongs_to_one_account():
    """Copied into another row, by whoever writes the database, it opens nothing."""
    sealer = totp.Sealer(os.urandom(32))
    sealed = sealer.seal("SECRET", "ann")

    assert sealer.open(sealed, "ann") == "SECRET"
    for where in ("bob", "ann "):
        with pytest.raises(totp.SecretUnreadableError):
            sealer.open(sealed, where)


# Passkeys


async def test_a_passkey_alone_signs_in(scene: Scene):
    """It is something the person has, opened by what they are or know."""
    laptop = Authenticator(SITE.origin)
    await scene.with_passkey(laptop)

    challenge = scene.sign_in.passkey_challenge(SITE)
    assert challenge.passkey is not None
    who = await scene.sign_in.by_passkey_alone(challenge.ticket, laptop.get(challenge.passkey), SITE)

    assert who == scene.ann.id
    (passkey,) = (await scene.factors.security(scene.ann)).passkeys
    assert (passkey.name, passkey.last_used_at_ms) == ("Laptop", scene.clock.now_ms())


async def test_a_passkey_is_a_second_factor(scene: Scene):
    """With one the password alone is not enough, and recovery codes stand in for a lost laptop."""
    laptop = Authenticator(SITE.origin)
    options = await scene.factors.begin_passkey(scene.ann, SITE)
    _, codes = await scene.factors.add_passkey(scene.ann, "Laptop", laptop.create(options))

    challenge = await scene.sign_in.challenge(scene.ann, HERE, SITE)

    assert len(codes) == 10
    assert challenge is not None
    assert challenge.methods == ("passkey", "recovery")
    assert challenge.passkey is not None
    assert await scene.sign_in.by_passkey(challenge.ticket, laptop.get(challenge.passkey)) == scene.ann.id


async def refused_as_second_factor(scene: Scene, authenticator: Authenticator, **changed: Any) -> None:
    challenge = await scene.sign_in.challenge(scene.ann, HERE, SITE)
    assert challenge is not None
    assert challenge.passkey is not None
    credential = authenticator.get({**challenge.passkey, **changed})
    with pytest.raises(NotSignedInError) as caught:
        await scene.sign_in.by_passkey(challenge.ticket, credential)
    assert code_of(caught) == "passkey_refused"


async def test_a_signature_counts_for_its_challenge_site_and_person_only(scene: Scene):
    """Replayed, made for another site by a fishing page, without the person, or by a copy: all refused."""
    laptop = Authenticator(SITE.origin)
    await scene.with_passkey(laptop)

    await refused_as_second_factor(scene, laptop, challenge="AAAA")
    await refused_as_second_factor(scene, laptop, rpId="evil.example.org")
    laptop.origin = "https://evil.example.org"
    await refused_as_second_factor(scene, laptop)
    laptop.origin, laptop.flags = SITE.origin, USER_PRESENT
    await refused_as_second_factor(scene, laptop)
    await refused_as_second_factor(scene, Authenticator(SITE.origin))


async def test_a_copied_passkey_is_noticed_by_its_counter(scene: Scene):
    """The count of signatures must grow (section 6.1.1)."""
    laptop = Authenticator(SITE.origin)
    await scene.with_passkey(laptop)
    challenge = scene.sign_in.passkey_challenge(SITE)
    await scene.sign_in.by_passkey_alone(challenge.ticket, laptop.get(challenge.passkey or {}), SITE)

    laptop.count -= 1

    await refused_as_second_factor(scene, laptop)


async def test_an_answer_to_a_passkey_challenge_is_good_once(scene: Scene):
    """Whoever reads it on the way cannot use it again."""
    laptop = Authenticator(SITE.origin)
    await scene.with_passkey(laptop)
    challenge = scene.sign_in.passkey_challenge(SITE)
    answer = laptop.get(challenge.passkey or {})
    await scene.sign_in.by_passkey_alone(challenge.ticket, answer, SITE)

    with pytest.raises(NotSignedInError) as caught:
        await scene.sign_in.by_passkey_alone(challenge.ticket, answer, SITE)

    assert code_of(caught) == "ticket_void"


async def test_somebody_elses_passkey_answers_for_nobody_else(scene: Scene):
    """A ticket is bound to the person whose password was typed."""
    laptop, bobs = Authenticator(SITE.origin), Authenticator(SITE.origin)
    await scene.with_passkey(laptop)
    bob, _ = await scene.accounts.add_user("Bob", "bob@example.org")
    await dataclasses.replace(scene, ann=bob).with_passkey(bobs)

    await refused_as_second_factor(scene, bobs)


async def test_a_passkey_that_did_not_verify_its_person_is_not_taken(scene: Scene):
    """Otherwise a key that was found would be enough to sign in."""
    options = await scene.factors.begin_passkey(scene.ann, SITE)
    found = Authenticator(SITE.origin, flags=USER_PRESENT)

    with pytest.raises(InvalidInputError):
        await scene.factors.add_passkey(scene.ann, "Key", found.create(options))

    assert (await scene.factors.security(scene.ann)).passkeys == ()


@pytest.mark.parametrize(
    "credential", [{}, {"id": 7}, {"id": "x" * 2000}, {"id": "x", "response": []}, {"id": "\ud800"}]
)
async def test_what_is_no_passkey_is_refused(scene: Scene, credential: dict[str, Any]):
    """The server reads bytes from anybody here."""
    await scene.with_passkey(Authenticator(SITE.origin))
    with pytest.raises(NotSignedInError):
        await scene.sign_in.by_passkey_alone(scene.sign_in.passkey_challenge(SITE).ticket, credential, SITE)
    await scene.factors.begin_passkey(scene.ann, SITE)
    with pytest.raises(InvalidInputError):
        await scene.factors.add_passkey(scene.ann, "Key", credential)


def test_a_bare_address_has_no_passkeys():
    """Browsers bind them to names (section 5.1.3)."""
    assert site_of("https://meet.example.org:8443") == Site("meet.example.org", "https://meet.example.org:8443")
    assert site_of("http://localhost:8443") == Site("localhost", "http://localhost:8443")
    assert site_of("https://203.0.113.5:8443") is None
    assert site_of("https://[2001:db8::1]") is None


async def test_a_challenge_for_a_passkey_ends_and_cannot_be_made_up(scene: Scene):
    """The server remembers none, so that nobody drives others out by asking for many."""
    laptop = Authenticator(SITE.origin)
    await scene.with_passkey(laptop)
    challenge = scene.sign_in.passkey_challenge(SITE)
    answer = laptop.get(challenge.passkey or {})
    longer = challenge.ticket[:32] + "f" + challenge.ticket[33:]
    scene.clock.advance(301)

    for ticket in (challenge.ticket, longer, "", "zz", "00" * 56, "é"):
        with pytest.raises(NotSignedInError) as caught:
            await scene.sign_in.by_passkey_alone(ticket, answer, SITE)
        assert code_of(caught) == "ticket_void"


# Devices


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0", "Firefox (Linux)"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/142.0 Safari/537.36 Edg/142.0", "Edge (Windows)"),
        ("Mozilla/5.0 (Linux; Android 16) AppleWebKit/537.36 Chrome/142.0 Mobile Safari/537.36", "Chrome (Android)"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Safari/604.1", "Safari (iPhone)"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/19.0 Safari/605.1.15", "Safari (macOS)"),
        ("curl/8.0", ""),
        ("", ""),
    ],
)
def test_a_browser_is_named_in_few_words(user_agent: str, name: str):
    """What its owner recognises, and nothing that would tell two browsers apart."""
    assert device_name(user_agent) == name


async def test_a_remembered_browser_is_not_asked_again_for_a_while(scene: Scene):
    """Thirty days here; without the wish it is known, and asked."""
    await scene.with_app()
    known, remembered = await scene.known_browser(), await scene.known_browser(remember=True)

    assert await scene.sign_in.challenge(scene.ann, known, SITE) is not None
    assert await scene.sign_in.challenge(scene.ann, remembered, SITE) is None
    scene.clock.advance(30 * DAY_S)
    assert await scene.sign_in.challenge(scene.ann, remembered, SITE) is not None


async def test_a_remembered_browser_is_so_for_one_person(scene: Scene):
    """Two members share a computer: Bob's wish says nothing about Ann."""
    await scene.with_app()
    bob, _ = await scene.accounts.add_user("Bob", "bob@example.org")
    token = await scene.sign_in.devices.arrived(bob, HERE, remember=True, mail=None)

    assert await scene.sign_in.challenge(scene.ann, dataclasses.replace(HERE, token=token), SITE) is not None


async def test_trust_ends_with_the_password_and_with_the_second_factor(scene: Scene):
    """Whoever had the account before is out everywhere."""
    await scene.with_app()
    browser = await scene.known_browser(remember=True)
    session = await scene.accounts.open_session(scene.ann)
    await scene.accounts.change_password(scene.ann, PASSWORD, "eight green lanterns sink", keep_token=session.token)

    assert await scene.sign_in.challenge(scene.ann, browser, SITE) is not None


async def test_a_forgotten_browser_is_a_stranger(scene: Scene):
    """From the list on the security page."""
    browser = await scene.known_browser()
    (device,) = (await scene.factors.security(scene.ann)).devices
    assert await scene.sign_in.devices.knows(scene.ann.email, browser)

    await scene.factors.forget_device(scene.ann, device.id)

    assert not await scene.sign_in.devices.knows(scene.ann.email, browser)


async def mails(db: Database) -> list[tuple[str, str]]:
    async with db.read() as conn:
        query = select(mail_outbox.c.template, mail_outbox.c.template_values)
        return [(row.template, row.template_values) for row in await conn.execute(query)]


async def test_a_strange_browser_is_told_by_mail(scene: Scene):
    """Not the first one, to which the link was sent; and not one that is known."""
    devices = scene.sign_in.devices
    token = await devices.arrived(scene.ann, HERE, remember=False, mail=MAIL)
    await devices.arrived(scene.ann, dataclasses.replace(HERE, token=token), remember=False, mail=MAIL)
    assert await mails(scene.db) == []

    await devices.arrived(scene.ann, Browser("planted", "Chrome (Windows)"), remember=False, mail=MAIL)

    ((template, values),) = await mails(scene.db)
    assert template == "new_device"
    assert "Chrome (Windows)" in values
    async with scene.db.read() as conn:  # what the browser claimed to be is not taken over
        assert len((await conn.execute(select(known_devices.c.token_hash).distinct())).all()) == 2


# Sessions, and an administrator's help


async def test_sessions_are_listed_and_ended(scene: Scene):
    """Everybody sees where they are signed in, and nobody ends somebody else's."""
    here = await scene.accounts.open_session(scene.ann, device="Firefox (Linux)")
    there = await scene.accounts.open_session(scene.ann, device="Chrome (Android)")
    bob, _ = await scene.accounts.add_user("Bob", "bob@example.org")
    listed = (await scene.factors.security(scene.ann)).sessions
    (phone,) = [each for each in listed if each.device == "Chrome (Android)"]

    with pytest.raises(NotFoundError):
        await scene.factors.end_session(bob, phone.id)
    await scene.factors.end_session(scene.ann, phone.id)

    assert await scene.accounts.user_of_session(there.token) is None
    assert await scene.accounts.user_of_session(here.token) == scene.ann


async def test_changing_the_password_ends_the_other_sessions(scene: Scene):
    """Whoever knew the old one is out at once; the browser in which it was changed goes on."""
    here, there = await scene.accounts.open_session(scene.ann), await scene.accounts.open_session(scene.ann)
    fresh = "eight green lanterns sink"

    with pytest.raises(NotSignedInError):
        await scene.accounts.change_password(scene.ann, "wrong password here", fresh, keep_token=here.token)
    assert await scene.accounts.change_password(scene.ann, PASSWORD, fresh, keep_token=here.token) == 1

    assert await scene.accounts.user_of_session(here.token) == scene.ann
    assert await scene.accounts.user_of_session(there.token) is None
    assert await scene.accounts.check_password(scene.ann.email, fresh) == scene.ann


async def test_an_administrator_lets_somebody_in_again(scene: Scene):
    """Phone and codes are gone: the password alone is enough from then on, and the audit log says who did it."""
    await scene.with_app()
    await scene.with_passkey(Authenticator(SITE.origin))

    assert await scene.factors.remove_second_factors(scene.ann.id) == 2

    assert await scene.sign_in.challenge(scene.ann, HERE, SITE) is None
    security = await scene.factors.security(scene.ann)
    assert (security.totp_since_ms, security.passkeys, security.recovery_codes_left) == (None, (), 0)
    async with scene.db.read() as conn:
        query = select(audit_events.c.actor, audit_events.c.action).order_by(audit_events.c.sequence.desc()).limit(1)
        assert tuple((await conn.execute(query)).one()) == ("operator", "second_factor.removed")
    with pytest.raises(NotFoundError):
        await scene.factors.remove_second_factors("nobody")


# Guessing passwords


async def test_guessing_from_one_network_does_not_shut_another_out(scene: Scene):
    """Attempts count for account and network together: a stranger's guesses cost the owner nothing."""
    for _ in range(12):
        with pytest.raises((NotSignedInError, TooManyError)):
            await scene.accounts.check_password(scene.ann.email, "wrong password here", network="203.0.113.5")

    with pytest.raises(TooManyError):
        await scene.accounts.check_password(scene.ann.email, PASSWORD, network="203.0.113.5")
    assert await scene.accounts.check_password(scene.ann.email, PASSWORD, network="198.51.100.7") == scene.ann


async def test_a_known_browser_gets_in_past_strangers_who_guess(scene: Scene):
    """Even from the network that guesses, as in an office, and while everybody together tries too often."""
    for number in range(310):
        with pytest.raises((NotSignedInError, TooManyError)):
            await scene.accounts.check_password(f"p{number}@example.org", "wrong password here", network="203.0.113.5")
    with pytest.raises(TooManyError):
        await scene.accounts.check_password(scene.ann.email, PASSWORD, network="203.0.113.5")

    same = {"network": "203.0.113.5", "known_device": True}
    assert await scene.accounts.check_password(scene.ann.email, PASSWORD, **same) == scene.ann


async def test_codes_cannot_be_guessed_from_a_known_browser_either(scene: Scene):
    """Whoever has the password and the open browser would otherwise have a million tries; other browsers go on."""
    secret, _ = await scene.with_app()
    known = await scene.known_browser()
    for number in range(30):
        with pytest.raises(NotSignedInError):
            await scene.sign_in.by_code(await scene.ticket(known), f"{number:05}", known)

    with pytest.raises(TooManyError):
        await scene.sign_in.by_code(await scene.ticket(known), scene.code(secret), known)

    assert await scene.sign_in.by_code(await scene.ticket(), scene.code(secret), HERE) == scene.ann.id


@pytest.mark.parametrize("way", ["code", "recovery", "passkey"])
async def test_a_new_password_voids_what_the_old_one_began(scene: Scene, way: str):
    """Who knew the old password must not come in with it after it was changed, however far they were."""
    authenticator = Authenticator(SITE.origin)
    secret, codes = await scene.with_app()
    await scene.with_passkey(authenticator)
    challenge = await scene.sign_in.challenge(scene.ann, HERE, SITE)
    assert challenge is not None
    link = await scene.accounts.links.for_password(scene.ann.email)
    await scene.accounts.links.redeem(link, None, None, "eight green lanterns sink")

    if way == "code":
        answer = scene.sign_in.by_code(challenge.ticket, scene.code(secret), HERE)
    elif way == "recovery":
        answer = scene.sign_in.by_recovery_code(challenge.ticket, codes[0])
    else:
        answer = scene.sign_in.by_passkey(challenge.ticket, authenticator.get(challenge.passkey or {}))
    with pytest.raises(NotSignedInError) as caught:
        await answer

    assert code_of(caught) == "ticket_void"
    assert await scene.sign_in.by_recovery_code(await scene.ticket(), codes[0]) == scene.ann.id  # none was used up


async def test_signing_out_everywhere_else_ends_trust_there(scene: Scene):
    """A lost phone is asked for the second factor again; the browser in which one did it is not."""
    await scene.with_app()
    here, phone = await scene.known_browser(remember=True), await scene.known_browser(remember=True)

    await scene.factors.end_other_sessions(scene.ann, "none", besides=here)

    assert await scene.sign_in.challenge(scene.ann, here, SITE) is None
    assert await scene.sign_in.challenge(scene.ann, phone, SITE) is not None


async def test_made_up_passkeys_do_not_wait_for_the_one_writer(scene: Scene):
    """Anybody may try one: it must not hold up whoever has something to store."""
    authenticator = Authenticator(SITE.origin)
    challenge = scene.sign_in.passkey_challenge(SITE)
    await scene.with_passkey(authenticator)
    stranger = Authenticator(SITE.origin)
    stranger.create(await scene.factors.begin_passkey(scene.ann, SITE))

    async with scene.db.write():
        with pytest.raises(NotSignedInError):
            async with asyncio.timeout(5):
                await scene.sign_in.by_passkey_alone(challenge.ticket, stranger.get(challenge.passkey), SITE)

    assert await scene.sign_in.by_passkey_alone(challenge.ticket, authenticator.get(challenge.passkey), SITE)
