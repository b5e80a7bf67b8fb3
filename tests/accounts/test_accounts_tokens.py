"""API tokens through the service: what they are good for, and when they end."""

import re

import pytest
from sqlalchemy import select

from pymeet.accounts.model import Role, User
from pymeet.accounts.scopes import Scope, grantable
from pymeet.accounts.service import Accounts
from pymeet.accounts.tokens import LONGEST_DAYS, MOST, Told
from pymeet.clock import ManualClock
from pymeet.db.engine import Database
from pymeet.db.schema import api_tokens, audit_events, mail_outbox, processing_limits, users
from pymeet.errors import ConflictError, InvalidInputError, NotAllowedError, NotFoundError, PymeetError

DAY = 86_400
HOUR_MS = 3_600_000


async def new(accounts: Accounts, name: str = "ann", role: Role = Role.MEMBER) -> User:
    """Somebody with an account in this role."""
    user, _ = await accounts.add_user(name, f"{name}@example.org")
    return await accounts.change_role(user.id, role)


async def actions(db: Database) -> list[str]:
    async with db.read() as conn:
        query = select(audit_events.c.action).order_by(audit_events.c.sequence)
        return [action for action in (await conn.execute(query)).scalars() if action.startswith("token.")]


async def test_a_token_opens_what_it_says_until_its_last_day(accounts: Accounts, clock: ManualClock):
    """A program must know for how long it works, and its owner that it ends."""
    ann = await new(accounts)
    token, text = await accounts.tokens.create(ann.id, " Rooms ", ["rooms:write", "rooms:read", "rooms:read"], 7)

    assert re.fullmatch(r"pymeet_[A-Za-z0-9_-]{43}", text)
    assert (token.name, token.scopes) == ("Rooms", (Scope.ROOMS_READ, Scope.ROOMS_WRITE))
    clock.advance(7 * DAY - 1)
    bearer = await accounts.tokens.bearer(text)
    assert bearer is not None
    assert (bearer.user.id, bearer.scopes) == (ann.id, {Scope.ROOMS_READ, Scope.ROOMS_WRITE})

    clock.advance(1)

    assert await accounts.tokens.bearer(text) is None
    assert await accounts.tokens.of(ann.id) == []


async def test_only_a_hash_of_a_token_is_kept(accounts: Accounts, db: Database):
    """Whoever reads the database, or a backup of it, cannot use the interface with what stands there."""
    ann = await new(accounts)
    _, text = await accounts.tokens.create(ann.id, "Rooms", ["rooms:read"])

    async with db.read() as conn:
        (row,) = (await conn.execute(select(api_tokens))).all()
    assert not [value for value in row if isinstance(value, str) and value in text]
    assert await accounts.tokens.bearer(row.token_hash) is None
    assert await accounts.tokens.bearer(f"pymeet_{row.token_hash[:43]}") is None


async def test_the_hour_of_the_last_use_is_kept_and_the_account_counts_as_used(
    accounts: Accounts, db: Database, clock: ManualClock
):
    """Enough to see which token is needed, not enough to follow somebody; and an account that only its program uses is
    in use."""
    ann = await new(accounts)
    token, text = await accounts.tokens.create(ann.id, "Rooms", ["rooms:read"])
    assert token.last_used_at_ms is None
    clock.advance(3 * DAY + 1234)
    await accounts.tokens.bearer(text)
    clock.advance(1)
    await accounts.tokens.bearer(text)

    (listed,) = await accounts.tokens.of(ann.id)
    assert listed.last_used_at_ms == clock.now_ms() // HOUR_MS * HOUR_MS
    async with db.read() as conn:
        seen_at_ms = (await conn.execute(select(users.c.last_seen_at_ms))).scalar_one()
    assert clock.now_ms() - HOUR_MS < seen_at_ms <= clock.now_ms()


@pytest.mark.parametrize(
    ("scopes", "days", "error", "code"),
    [
        ([], 7, InvalidInputError, "invalid_input"),
        (["rooms:delete"], 7, InvalidInputError, "invalid_input"),
        (["rooms:read", "users:read"], 7, NotAllowedError, "scope_not_allowed"),
        (["rooms:read"], 0, InvalidInputError, "invalid_input"),
        (["rooms:read"], LONGEST_DAYS + 1, InvalidInputError, "invalid_input"),
    ],
)
async def test_a_token_that_may_not_be_is_not_made(
    accounts: Accounts, scopes: list[str], days: int, error: type[PymeetError], code: str
):
    """Without scopes it is of no use, without an end it is forgotten, and with those of another role it waits for it."""
    ann = await new(accounts)

    with pytest.raises(error) as caught:
        await accounts.tokens.create(ann.id, "Trap", scopes, days)

    assert caught.value.code == code
    assert await accounts.tokens.of(ann.id) == []


async def test_each_role_has_its_scopes(accounts: Accounts):
    """Data protection officers see requests and proofs; accounts and the server are for administrators."""
    assert set(grantable(Role.ADMIN)) == set(Scope)
    assert set(grantable(Role.DPO)) - set(grantable(Role.MEMBER)) == {Scope.PRIVACY_READ, Scope.PRIVACY_WRITE}
    assert not {scope for scope in grantable(Role.MEMBER) if scope.startswith(("users", "privacy", "server"))}


async def test_another_role_narrows_the_tokens_that_are_there(accounts: Accounts, db: Database):
    """Whoever stops being administrator must not go on as one through a program; and nothing comes back by itself."""
    await new(accounts, "ada", Role.ADMIN)
    ann = await new(accounts, role=Role.ADMIN)
    _, wide = await accounts.tokens.create(ann.id, "Wide", ["rooms:read", "privacy:read", "users:write"])
    _, narrow = await accounts.tokens.create(ann.id, "Narrow", ["server:read"])

    await accounts.change_role(ann.id, Role.DPO)
    as_dpo = await accounts.tokens.bearer(wide)
    await accounts.change_role(ann.id, Role.MEMBER)
    as_member = await accounts.tokens.bearer(wide)
    await accounts.change_role(ann.id, Role.ADMIN)
    again = await accounts.tokens.bearer(wide)

    assert as_dpo is not None
    assert as_member is not None
    assert again is not None
    assert as_dpo.scopes == {Scope.ROOMS_READ, Scope.PRIVACY_READ}
    assert as_member.scopes == again.scopes == {Scope.ROOMS_READ}
    assert await accounts.tokens.bearer(narrow) is None
    assert await actions(db) == ["token.created", "token.created", "token.narrowed", "token.narrowed"]


async def test_a_disabled_account_has_no_tokens_any_more(accounts: Accounts):
    """Also not when it is enabled again: who left and came back makes new ones."""
    ann = await new(accounts)
    _, text = await accounts.tokens.create(ann.id, "Rooms", ["rooms:read"])

    await accounts.disable_user(ann.id)
    assert await accounts.tokens.bearer(text) is None
    with pytest.raises(ConflictError):
        await accounts.tokens.create(ann.id, "Trap", ["rooms:read"])
    await accounts.enable_user(ann.id)

    assert await accounts.tokens.bearer(text) is None
    assert await accounts.tokens.of(ann.id) == []


async def test_a_token_of_an_account_that_is_being_erased_rests(accounts: Accounts, db: Database, clock: ManualClock):
    """As signing in does: until the erasure is done, or thought better of."""
    ann = await new(accounts)
    _, text = await accounts.tokens.create(ann.id, "Rooms", ["rooms:read"])
    limit = {"id": "x", "user_id": ann.id, "cause": "erasure", "from_ms": clock.now_ms()}

    await db.work(lambda conn: conn.execute(processing_limits.insert().values(limit)))
    during = await accounts.tokens.bearer(text)
    await db.work(lambda conn: conn.execute(processing_limits.update().values(lifted_at_ms=clock.now_ms())))

    assert during is None
    assert await accounts.tokens.bearer(text) is not None


async def test_a_revoked_token_is_void_and_only_its_owner_revokes_it(accounts: Accounts, db: Database):
    """Ids are no secrets; knowing one must not end somebody's program."""
    ann, ben = await new(accounts), await new(accounts, "ben")
    token, text = await accounts.tokens.create(ann.id, "Rooms", ["rooms:read"], by=ann.id)

    with pytest.raises(NotFoundError):
        await accounts.tokens.revoke(token.id, of=ben.id, by=ben.id)
    assert await accounts.tokens.bearer(text) is not None
    await accounts.tokens.revoke(token.id, of=ann.id, by=ann.id)

    assert await accounts.tokens.bearer(text) is None
    with pytest.raises(NotFoundError):
        await accounts.tokens.revoke(token.id)
    assert await actions(db) == ["token.created", "token.revoked"]


async def test_whoever_makes_a_token_its_person_is_told(accounts: Accounts, db: Database):
    """Somebody who sat down at their screen, or the operator: nobody acts in another's name unseen."""
    ann = await new(accounts)
    await accounts.tokens.create(ann.id, "Rooms", ["rooms:read"], mail=Told("de", "https://meet.example/security"))

    async with db.read() as conn:
        (mail,) = (await conn.execute(select(mail_outbox))).all()
    assert (mail.template, mail.to_address, mail.language) == ("token_made", ann.email, "de")
    assert "pymeet_" not in mail.template_values


async def test_there_is_an_end_to_how_many_one_person_has(accounts: Accounts, clock: ManualClock):
    """Expired ones do not count: they are gone with the next sweep."""
    ann = await new(accounts)
    for number in range(MOST):
        await accounts.tokens.create(ann.id, f"Number {number}", ["rooms:read"], 1)

    with pytest.raises(ConflictError) as caught:
        await accounts.tokens.create(ann.id, "One more", ["rooms:read"])
    assert caught.value.code == "too_many_tokens"

    clock.advance(DAY)
    assert await accounts.tokens.create(ann.id, "One more", ["rooms:read"])
