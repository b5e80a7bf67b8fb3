"""What ends when the OpenID provider signs somebody out, and when the account there is unlinked."""

import os

import pyotp
import pytest
from sqlalchemy import delete, select

from pymeet.accounts import totp
from pymeet.accounts.devices import Browser, Devices
from pymeet.accounts.factors import Factors
from pymeet.accounts.model import ProviderSession, User
from pymeet.accounts.oidc_accounts import OidcAccounts, Person, unlink
from pymeet.accounts.service import Accounts
from pymeet.accounts.sign_in import SignIn
from pymeet.clock import ManualClock
from pymeet.config_oidc import OidcConfig
from pymeet.db.engine import Database
from pymeet.db.schema import audit_events, sessions, users
from pymeet.errors import NotSignedInError

ISSUER = "https://login.example.org"


async def linked(db: Database, clock: ManualClock, accounts: Accounts, name: str) -> tuple[OidcAccounts, User, str]:
    """Somebody who has an account at the provider; the id of the identity."""
    config = OidcConfig.model_validate({"issuer": ISSUER, "client_id": "pymeet"})
    there = OidcAccounts(db, clock, accounts, config, failed=lambda _: None)
    await accounts.add_user(name, f"{name}@example.org")
    person = Person(ISSUER, name, f"{name}@example.org", email_unverified=False, name=name, role=None)
    return there, *await there.arrived(person)


async def revoked(db: Database) -> list[str]:
    async with db.read() as conn:
        query = select(audit_events.c.detail).where(audit_events.c.action == "token.revoked")
        return [str(each) for each in (await conn.execute(query)).scalars()]


async def test_who_is_locked_out_at_the_provider_keeps_no_api_token(
    accounts: Accounts, db: Database, clock: ManualClock
):
    """Or a program goes on in the name of somebody who left. One session that ends there is no reason for that."""
    there, mei, _ = await linked(db, clock, accounts, "mei")
    _, ben, _ = await linked(db, clock, accounts, "ben")
    _, text = await accounts.tokens.create(mei.id, "Rooms", ["rooms:read"])
    _, bens = await accounts.tokens.create(ben.id, "Rooms", ["rooms:read"])

    await there.end_sessions(ISSUER, subject="mei", session="s")
    await there.end_sessions(ISSUER, subject="nobody", session=None)
    assert await accounts.tokens.bearer(text) is not None
    assert await revoked(db) == []

    await there.end_sessions(ISSUER, subject="mei", session=None)
    assert await accounts.tokens.bearer(text) is None
    assert await accounts.tokens.bearer(bens) is not None
    assert len(await revoked(db)) == 1


async def test_a_wrong_link_leaves_no_api_token(accounts: Accounts, db: Database, clock: ManualClock):
    """Whoever came by it may have made one."""
    _, mei, _ = await linked(db, clock, accounts, "mei")
    _, text = await accounts.tokens.create(mei.id, "Rooms", ["rooms:read"])

    assert await unlink(db, clock, mei.id) == 1

    assert await accounts.tokens.bearer(text) is None
    assert len(await revoked(db)) == 1


@pytest.mark.parametrize("how", ["the person", "the session", "unlinked"])
async def test_who_is_signed_out_before_the_second_factor_stays_out(
    accounts: Accounts, db: Database, clock: ManualClock, how: str
):
    """What the provider said of them a moment ago does not hold any more; another session there goes on."""
    there, mei, identity_id = await linked(db, clock, accounts, "mei")
    factors = Factors(db, clock, os.urandom(32))
    sign_in = SignIn(db, clock, factors, remember_ms=0, failed=lambda _: None)
    secret = factors.begin_totp(mei, "meet.example.org").secret
    codes = await factors.confirm_totp(mei, pyotp.TOTP(secret).generate_otp(clock.now_ms() // totp.STEP_MS))

    async def ticket(session: str) -> str:
        began = ProviderSession(identity_id, session, None, None)
        challenge = await sign_in.challenge(mei, Browser(None, "Firefox (Linux)"), None, began=began)
        assert challenge is not None
        return challenge.ticket

    tickets = [await ticket("this"), await ticket("other")]
    if how == "unlinked":
        await unlink(db, clock, mei.id)
    else:
        by_person = how == "the person"
        ended = await there.end_sessions(
            ISSUER, subject="mei" if by_person else None, session=None if by_person else "this"
        )
        assert ended is not None
        sign_in.end(ended.covers)

    with pytest.raises(NotSignedInError) as caught:
        await sign_in.by_recovery_code(tickets[0], codes[0])
    assert caught.value.code == "ticket_void"
    if how == "the session":
        assert await sign_in.by_recovery_code(tickets[1], codes[0]) == mei.id
    else:
        with pytest.raises(NotSignedInError):
            await sign_in.by_recovery_code(tickets[1], codes[0])


async def test_whose_account_there_is_unlinked_while_they_sign_in_is_told_so(
    accounts: Accounts, db: Database, clock: ManualClock
):
    """An administrator may be quicker than the last step of signing in: that is a refusal, and no fault of the server."""
    there, mei, identity_id = await linked(db, clock, accounts, "mei")
    open_already = await accounts.open_session(mei)
    began = ProviderSession(identity_id, "s", None, clock.now_ms())
    await unlink(db, clock, mei.id)

    for attempt in (accounts.open_session(mei, began=began), there.confirm(mei, began, token=open_already.token)):
        with pytest.raises(NotSignedInError) as caught:
            await attempt
        assert caught.value.code == "oidc_void"
    async with db.read() as conn:
        assert len((await conn.execute(select(sessions))).all()) == 1


async def test_whose_account_is_erased_while_they_sign_in_is_told_so(
    accounts: Accounts, db: Database, clock: ManualClock
):
    """The same for the account itself, at every step that writes something of theirs."""
    mei, _ = await accounts.add_user("Mei", "mei@example.org")
    async with db.write() as conn:
        await conn.execute(delete(users).where(users.c.id == mei.id))
    devices = Devices(db, clock, remember_ms=0)

    for attempt in (
        accounts.open_session(mei, began=ProviderSession("gone", None, None, None)),
        devices.arrived(mei, Browser(None, "Firefox (Linux)"), remember=False, mail=None),
    ):
        with pytest.raises(NotSignedInError):
            await attempt
