"""What ends when the OpenID provider signs somebody out, and when the account there is unlinked."""

from sqlalchemy import select

from pymeet.accounts.model import User
from pymeet.accounts.oidc_accounts import OidcAccounts, Person, unlink
from pymeet.accounts.service import Accounts
from pymeet.clock import ManualClock
from pymeet.config_oidc import OidcConfig
from pymeet.db.engine import Database
from pymeet.db.schema import audit_events

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
