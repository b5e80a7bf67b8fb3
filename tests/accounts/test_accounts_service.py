"""People, links, passwords and sessions, through the service over a real database."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import delete, insert, select, text
from sqlalchemy.exc import SQLAlchemyError

from pymeet.accounts import directory, store
from pymeet.accounts.links import Redeemed
from pymeet.accounts.passwords import Passwords
from pymeet.accounts.rows import hash_of
from pymeet.accounts.service import Accounts, Link, Role, User
from pymeet.accounts.throttle import AttemptLimiter
from pymeet.clock import ManualClock
from pymeet.db.engine import Database
from pymeet.db.schema import audit_events, audit_people, metadata, passkeys, sessions, user_credentials
from pymeet.errors import (
    ConflictError,
    InvalidInputError,
    NotFoundError,
    NotSignedInError,
    PymeetError,
    TooManyError,
)

PASSWORD = "correct horse battery"
DAY = 86_400


async def member(accounts: Accounts, email: str = "ann@example.org", admin: bool = False) -> User:
    """Somebody who has set their password."""
    _, token = await accounts.add_user("Ann", email, admin)
    return (await accounts.links.redeem(token, None, None, PASSWORD)).user


async def actions(db: Database) -> list[tuple[str, str, str]]:
    """The audit log with the ids of the people behind its pseudonyms, where they are known."""
    columns = (audit_events.c.actor, audit_events.c.action, audit_events.c.target)
    async with db.read() as conn:
        people = {row.pseudonym: row.user_id for row in await conn.execute(select(audit_people))}
        lines = await conn.execute(select(*columns).order_by(audit_events.c.sequence))
        return [(people.get(actor, actor), action, people.get(target, target)) for actor, action, target in lines]


async def test_the_first_admin_link_makes_the_first_administrator(accounts: Accounts):
    """A fresh installation must be usable without a shell command, and only by whoever sees its first output."""
    token = await accounts.links.for_first_admin()
    assert token is not None
    assert await accounts.links.inspect(token) == Link("first_admin", None, None)

    user = (await accounts.links.redeem(token, " Ann ", "Ann@Example.org", PASSWORD)).user

    assert (user.name, user.email, user.is_admin) == ("Ann", "ann@example.org", True)
    assert await accounts.check_password("ann@example.org", PASSWORD) == user
    assert await accounts.links.for_first_admin() is None


async def test_a_new_first_admin_link_voids_the_one_before(accounts: Accounts):
    """Each start prints one; links in old logs must not stay good for ever."""
    old = await accounts.links.for_first_admin()
    new = await accounts.links.for_first_admin()
    assert old is not None
    assert new is not None

    with pytest.raises(NotFoundError) as caught:
        await accounts.links.inspect(old)
    assert caught.value.code == "link_void"
    assert (await accounts.links.inspect(new)).purpose == "first_admin"


async def test_the_first_admin_link_does_not_age(accounts: Accounts, clock: ManualClock):
    """The machine may be set up on Friday and visited on Monday."""
    token = await accounts.links.for_first_admin()
    assert token is not None
    clock.advance(30 * DAY)

    assert (await accounts.links.redeem(token, "Ann", "ann@example.org", PASSWORD)).user.is_admin


async def test_the_first_admin_link_dies_when_another_administrator_signs_in(accounts: Accounts):
    """An administrator added by command makes the printed link a back door."""
    token = await accounts.links.for_first_admin()
    assert token is not None
    await member(accounts, admin=True)

    with pytest.raises(NotFoundError):
        await accounts.links.redeem(token, "Eve", "eve@example.org", PASSWORD)


async def test_the_first_admin_link_needs_a_name_and_an_address(accounts: Accounts):
    """Without them the account could not be used; the link stays good for another try."""
    token = await accounts.links.for_first_admin()
    assert token is not None

    with pytest.raises(InvalidInputError):
        await accounts.links.redeem(token, None, None, PASSWORD)
    with pytest.raises(InvalidInputError):
        await accounts.links.redeem(token, "Ann", "ann@example.org", "short")

    assert await accounts.links.redeem(token, "Ann", "ann@example.org", PASSWORD)


async def test_a_first_administrator_cannot_take_an_address_that_is_in_use(accounts: Accounts):
    """Two accounts with one address could not be told apart; nothing of the failed try may stay."""
    token = await accounts.links.for_first_admin()
    assert token is not None
    await member(accounts)

    with pytest.raises(ConflictError) as caught:
        await accounts.links.redeem(token, "Eve", "ann@example.org", PASSWORD)

    assert caught.value.code == "email_taken"
    assert len(await accounts.list_users()) == 1
    assert await accounts.links.inspect(token)


async def test_only_one_of_many_redeems_a_link(accounts: Accounts):
    """Two people who open the same link at the same moment must not both become administrator."""
    token = await accounts.links.for_first_admin()
    assert token is not None

    outcomes = await asyncio.gather(
        *(accounts.links.redeem(token, f"P{n}", f"p{n}@example.org", PASSWORD) for n in range(12)),
        return_exceptions=True,
    )

    assert sum(isinstance(each, Redeemed) for each in outcomes) == 1
    assert all(isinstance(each, Redeemed | NotFoundError) for each in outcomes)
    assert len(await accounts.list_users()) == 1


async def test_a_new_member_sets_a_password_once(accounts: Accounts):
    """The administrator never knows it, and the link is worth nothing afterwards."""
    user, token = await accounts.add_user("Ann", "ann@example.org", False)
    assert await accounts.links.inspect(token) == Link("set_password", "Ann", "ann@example.org")

    assert (await accounts.links.redeem(token, "Mallory", "m@example.org", PASSWORD)).user == user

    with pytest.raises(NotFoundError):
        await accounts.links.redeem(token, None, None, PASSWORD)
    assert await accounts.user(user.id) == user


async def test_a_link_expires_after_a_day(accounts: Accounts, clock: ManualClock):
    """It travels by mail or chat and may be found there later."""
    _, token = await accounts.add_user("Ann", "ann@example.org", False)

    clock.advance(DAY - 1)
    assert await accounts.links.inspect(token)
    clock.advance(1)

    with pytest.raises(NotFoundError):
        await accounts.links.inspect(token)
    with pytest.raises(NotFoundError):
        await accounts.links.redeem(token, None, None, PASSWORD)


async def test_a_new_link_replaces_password_and_sessions(accounts: Accounts):
    """Who sets a new password wants everybody else out."""
    user = await member(accounts)
    session = await accounts.open_session(user)
    old = await accounts.links.for_password(user.email)
    new = await accounts.links.for_password(user.id)

    with pytest.raises(NotFoundError):
        await accounts.links.inspect(old)
    await accounts.links.redeem(new, None, None, "another long password")

    assert await accounts.user_of_session(session.token) is None
    assert await accounts.check_password(user.email, "another long password") == user
    with pytest.raises(NotSignedInError):
        await accounts.check_password(user.email, PASSWORD)


@pytest.mark.parametrize("token", ["", "x", "made-up", "\ud800", "x" * 10_000])
async def test_made_up_tokens_are_void(accounts: Accounts, token: str):
    """Whatever somebody types behind `#`, the answer is the same sentence."""
    with pytest.raises(NotFoundError):
        await accounts.links.inspect(token)
    with pytest.raises(NotFoundError):
        await accounts.links.redeem(token, "Eve", "eve@example.org", PASSWORD)
    assert await accounts.user_of_session(token) is None
    await accounts.close_session(token)


async def test_an_address_is_used_once(accounts: Accounts):
    """Also when it is written differently."""
    await accounts.add_user("Ann", "ann@example.org", False)

    with pytest.raises(ConflictError):
        await accounts.add_user("Ann", " ANN@example.org", False)


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("ann@example.org", "wrong password here"),
        ("bob@example.org", PASSWORD),
        ("new@example.org", PASSWORD),
        ("not an address", PASSWORD),
        ("ann@example.org", ""),
        ("ann@example.org", "x" * 5000),
        ("ann@example.org", "\ud800" * 20),
    ],
)
async def test_every_wrong_sign_in_gets_the_same_answer(accounts: Accounts, email: str, password: str):
    """A stranger must not learn who has an account, nor whether it has a password yet."""
    await member(accounts)
    await accounts.add_user("New", "new@example.org", False)

    with pytest.raises(NotSignedInError) as caught:
        await accounts.check_password(email, password)

    assert caught.value.code == "wrong_credentials"
    assert caught.value.message == "E-mail address or password is wrong."


async def test_an_unknown_address_takes_as_long_as_a_known_one(db: Database, clock: ManualClock):
    """A stopwatch must not tell either. Measured in CPU time spent hashing, at a cost that dwarfs everything else."""
    accounts = Accounts(db, clock, passwords=Passwords(time_cost=8, memory_kib=16_384))
    await member(accounts)

    async def cost_s(email: str) -> float:
        began = time.process_time()
        with pytest.raises(NotSignedInError):
            await accounts.check_password(email, "wrong password here")
        return time.process_time() - began

    known = min([await cost_s("ann@example.org") for _ in range(3)])
    unknown = min([await cost_s("bob@example.org") for _ in range(3)])

    assert 0.5 < known / unknown < 2


async def test_guessing_at_one_account_is_slowed_down(accounts: Accounts, clock: ManualClock):
    """Ten guesses in five minutes; other people are not concerned."""
    ann, bob = await member(accounts), await member(accounts, "bob@example.org")
    for _ in range(10):
        with pytest.raises(NotSignedInError):
            await accounts.check_password("ann@example.org", "wrong password here")

    with pytest.raises(TooManyError):
        await accounts.check_password("ANN@example.org", PASSWORD)
    assert await accounts.check_password("bob@example.org", PASSWORD) == bob

    clock.advance(301)
    assert await accounts.check_password("ann@example.org", PASSWORD) == ann


async def test_guessing_at_many_accounts_is_slowed_down(db: Database, clock: ManualClock):
    """One common password tried at everybody stays under every limit per account."""
    accounts = Accounts(
        db,
        clock,
        passwords=Passwords(time_cost=1, memory_kib=8),
        attempts_overall=AttemptLimiter(limit=5, window_s=60),
    )

    outcomes = await asyncio.gather(
        *(accounts.check_password(f"p{n}@example.org", PASSWORD) for n in range(8)), return_exceptions=True
    )

    assert [type(each) for each in outcomes].count(TooManyError) == 3


async def test_guessing_on_at_one_account_locks_nobody_else_out(db: Database, clock: ManualClock):
    """Attempts that are refused cost nothing, and so do not count against everybody."""
    accounts = Accounts(
        db,
        clock,
        passwords=Passwords(time_cost=1, memory_kib=8),
        attempts_per_email=AttemptLimiter(limit=2, window_s=300),
        attempts_overall=AttemptLimiter(limit=5, window_s=60),
    )
    _, token = await accounts.add_user("Ann", "ann@example.org")
    await accounts.links.redeem(token, None, None, PASSWORD)

    for _ in range(20):
        with pytest.raises((NotSignedInError, TooManyError)):
            await accounts.check_password("victim@example.org", "wrong password")

    assert (await accounts.check_password("ann@example.org", PASSWORD)).name == "Ann"


async def test_signing_in_often_is_not_guessing(accounts: Accounts):
    """Somebody with ten devices and the right password is welcome."""
    user = await member(accounts)

    for _ in range(25):
        assert await accounts.check_password(user.email, PASSWORD) == user


async def test_many_sign_ins_at_once_leave_the_loop_free(db: Database, clock: ManualClock):
    """Hashing is slow on purpose; the media of running meetings must not wait for it."""
    accounts = Accounts(
        db,
        clock,
        passwords=Passwords(time_cost=1, memory_kib=1024),
        attempts_per_email=AttemptLimiter(limit=1000, window_s=60),
    )
    user = await member(accounts)
    turns = 0

    async def count_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count_turns())
    outcomes = await asyncio.gather(*(accounts.check_password(user.email, PASSWORD) for _ in range(200)))
    counting.cancel()

    assert outcomes == [user] * 200
    assert turns > 2_000


async def test_a_hash_with_old_parameters_is_renewed_at_sign_in(accounts: Accounts, db: Database, clock: ManualClock):
    """Parameters grow over the years; nobody has to choose a new password for it."""
    user = await member(accounts)
    stronger = Accounts(db, clock, passwords=Passwords(time_cost=2, memory_kib=16))

    async def stored() -> str:
        async with db.read() as conn:
            return str((await conn.execute(select(user_credentials.c.password_hash))).scalar_one())

    before = await stored()
    assert "m=8,t=1" in before
    await stronger.check_password(user.email, PASSWORD)

    assert "m=16,t=2" in await stored()
    assert await stronger.check_password(user.email, PASSWORD) == user


async def test_a_session_knows_its_person_until_sign_out(accounts: Accounts):
    """The plain course of a day."""
    user = await member(accounts)

    session = await accounts.open_session(user)

    assert await accounts.user_of_session(session.token) == user
    await accounts.close_session(session.token)
    assert await accounts.user_of_session(session.token) is None


async def test_an_unused_session_ends_after_seven_days(accounts: Accounts, clock: ManualClock):
    """A forgotten browser on a shared computer must not stay signed in."""
    session = await accounts.open_session(await member(accounts))

    clock.advance(7 * DAY)

    assert await accounts.user_of_session(session.token) is None


async def test_a_session_in_a_meeting_is_used(accounts: Accounts, clock: ManualClock):
    """Whoever talks for longer than a session may be idle must not be sent out in the middle of a sentence."""
    session = await accounts.open_session(await member(accounts))
    key = hash_of(session.token)
    for _ in range(3):
        clock.advance(6 * DAY)
        assert await accounts.open_sessions({key, "unknown"}) == {key}

    await accounts.close_session(session.token)
    assert await accounts.open_sessions({key}) == set()


async def test_a_used_session_lives_on_but_not_for_ever(accounts: Accounts, clock: ManualClock):
    """Use prolongs it, up to thirty days: a stolen token must die some day."""
    session = await accounts.open_session(await member(accounts))
    assert session.expires_at_ms == clock.now_ms() + 30 * DAY * 1000

    for _ in range(5):
        clock.advance(6 * DAY - 1)
        assert await accounts.user_of_session(session.token) is not None
    clock.advance(5)

    assert await accounts.user_of_session(session.token) is None


async def test_the_last_use_is_written_once_a_minute(accounts: Accounts, db: Database, clock: ManualClock):
    """A page makes many requests; a write to the disk for each would slow everything down."""
    session = await accounts.open_session(await member(accounts))

    async def seen_after(seconds: float) -> int:
        clock.advance(seconds)
        await asyncio.gather(*(accounts.user_of_session(session.token) for _ in range(5)))
        async with db.read() as conn:
            return int((await conn.execute(select(sessions.c.last_seen_at_ms))).scalar_one())

    began = clock.now_ms()
    assert await seen_after(59) == began
    assert await seen_after(1) == began + 60_000
    assert await seen_after(59) == began + 60_000


async def test_signing_in_removes_the_persons_expired_sessions(accounts: Accounts, db: Database, clock: ManualClock):
    """What is of no use is not kept."""
    user = await member(accounts)
    for _ in range(3):
        await accounts.open_session(user)
    clock.advance(8 * DAY)

    await accounts.open_session(user)

    async with db.read() as conn:
        assert len((await conn.execute(select(sessions))).all()) == 1


async def test_a_disabled_account_is_out_at_once(accounts: Accounts):
    """Somebody leaves the organisation: browser, password and links end in the same moment."""
    user = await member(accounts)
    session, link = await accounts.open_session(user), await accounts.links.for_password(user.id)

    disabled = await accounts.disable_user("Ann@Example.org")

    assert disabled.disabled_at_ms is not None
    assert await accounts.user_of_session(session.token) is None
    refused = (
        accounts.check_password(user.email, PASSWORD),
        accounts.open_session(user),
        accounts.links.inspect(link),
        accounts.links.redeem(link, None, None, PASSWORD),
        accounts.links.for_password(user.id),
    )
    for attempt in refused:
        with pytest.raises(PymeetError):
            await attempt
    assert await accounts.list_users() == [disabled]
    assert await accounts.disable_user(user.id) == disabled


async def test_when_every_administrator_is_disabled_a_first_admin_link_helps(accounts: Accounts):
    """Whoever runs the machine must not be locked out of the program on it."""
    admin = await member(accounts, admin=True)
    assert await accounts.links.for_first_admin() is None

    await accounts.disable_user(admin.id)

    assert await accounts.links.for_first_admin() is not None


async def test_who_is_not_there_cannot_be_disabled_or_shown(accounts: Accounts):
    """A slip in a command must not look like success."""
    for attempt in (
        accounts.disable_user("nobody"),
        accounts.user("nobody"),
        accounts.links.for_password("n@example.org"),
    ):
        with pytest.raises(NotFoundError):
            await attempt


async def test_what_is_done_to_accounts_is_in_the_audit_log(accounts: Accounts, db: Database):
    """Who did what, by ids; a try that failed did nothing."""
    admin, _ = await accounts.add_user("Ben", "ben@example.org", True)
    user, token = await accounts.add_user("Ann", "ann@example.org", False)
    await accounts.links.redeem(token, None, None, PASSWORD)
    await accounts.open_session(await accounts.check_password(user.email, PASSWORD))
    with pytest.raises(NotSignedInError):
        await accounts.check_password(user.email, "wrong password here")
    await accounts.disable_user(user.id, by=admin.id)

    assert await actions(db) == [
        ("operator", "user.added", admin.id),
        ("operator", "user.added", user.id),
        (user.id, "link.redeemed", user.id),
        (user.id, "user.signed_in", user.id),
        (admin.id, "user.disabled", user.id),
    ]


async def details(db: Database, action: str) -> list[dict[str, object]]:
    """What the audit log says besides, of all events of one kind."""
    query = select(audit_events.c.detail).where(audit_events.c.action == action).order_by(audit_events.c.sequence)
    async with db.read() as conn:
        return [json.loads(detail) for detail in (await conn.execute(query)).scalars()]


async def test_signing_out_and_ended_sessions_are_in_the_audit_log(accounts: Accounts, db: Database):
    """Who was signed in when is the first question after a break-in; a made-up token is nobody's sign-out."""
    user = await member(accounts)
    first, _, _ = [await accounts.open_session(user) for _ in range(3)]
    await accounts.close_session(first.token)
    await accounts.close_session(first.token)
    await accounts.links.redeem(await accounts.links.for_password(user.id), None, None, PASSWORD)
    await accounts.open_session(user)
    await accounts.disable_user(user.id)

    assert [action for _, action, _ in await actions(db)].count("user.signed_out") == 1
    assert (user.id, "user.signed_out", user.id) in await actions(db)
    assert await details(db, "link.redeemed") == [
        {"purpose": "set_password", "sessions": 0},
        {"purpose": "set_password", "sessions": 2},
    ]
    assert await details(db, "user.disabled") == [{"sessions": 1}]


async def test_the_first_administrator_is_in_the_audit_log(accounts: Accounts, db: Database):
    """Whoever got hold of the printed link must leave a trace."""
    token = await accounts.links.for_first_admin()
    assert token is not None

    user = (await accounts.links.redeem(token, "Ann", "ann@example.org", PASSWORD)).user

    assert await actions(db) == [
        ("system", "link.made", "first_admin"),
        (user.id, "user.added", user.id),
        (user.id, "link.redeemed", user.id),
    ]
    assert await details(db, "user.added") == [{"role": "admin"}]


async def test_failed_sign_ins_are_counted_in_the_audit_log(accounts: Accounts, db: Database, clock: ManualClock):
    """Guessing must be visible, without a line for every guess; what was typed as an address is not written down."""
    user = await member(accounts)
    before = len(await actions(db))

    async def fail(*emails: str) -> None:
        for email in emails:
            with pytest.raises(NotSignedInError):
                await accounts.check_password(email, "wrong password here")

    await fail(user.email, user.email, "new@example.org", "newer@example.org", "newest@example.org")
    assert len(await actions(db)) == before  # the answer takes as long for an address that is unknown
    await accounts.record_failures()
    await fail(user.email)
    await accounts.record_failures()
    assert len(await actions(db)) == before + 2
    clock.advance(60)
    await accounts.record_failures()
    await accounts.record_failures()
    await fail(user.email)
    await accounts.record_failures(at_end=True)

    told = [
        (target, detail)
        for (_, _, target), detail in zip(
            (await actions(db))[before:], await details(db, "user.sign_in_failed"), strict=True
        )
    ]
    assert told == [(user.id, {"count": 2}), ("nobody", {"count": 3}), (user.id, {"count": 1}), (user.id, {"count": 1})]


async def test_failed_sign_ins_that_could_not_be_noted_are_noted_later(accounts: Accounts, db: Database):
    """A full disk must not be what hides that somebody tries passwords."""
    with pytest.raises(NotSignedInError):
        await accounts.check_password("nobody@example.org", "wrong password here")
    async with db.write() as conn:
        full = "CREATE TRIGGER full BEFORE INSERT ON audit_events BEGIN SELECT RAISE(ABORT, 'no room'); END"
        await conn.execute(text(full))

    with pytest.raises(SQLAlchemyError):
        await accounts.record_failures()
    async with db.write() as conn:
        await conn.execute(text("DROP TRIGGER full"))
    await accounts.record_failures()

    assert await details(db, "user.sign_in_failed") == [{"count": 1}]


@pytest.mark.parametrize("role", [Role.ADMIN, Role.DPO])
async def test_a_role_is_changed_and_ends_sessions(accounts: Accounts, db: Database, role: Role):
    """Whoever may do something else begins anew, and the log tells who decided it."""
    await member(accounts, "ben@example.org", admin=True)
    user = await member(accounts)
    session = await accounts.open_session(user)

    changed = await accounts.change_role(user.email, role)

    assert (changed.role, changed.is_admin, changed.is_dpo) == (role, role is Role.ADMIN, role is Role.DPO)
    assert await accounts.user_of_session(session.token) is None
    assert await accounts.check_password(user.email, PASSWORD) == changed
    back = await accounts.change_role(user.id, Role.MEMBER)
    assert back == await accounts.user(user.id) == user
    assert await details(db, "user.role_changed") == [
        {"from": "member", "to": role.value, "sessions": 1},
        {"from": role.value, "to": "member", "sessions": 0},
    ]


async def test_the_role_somebody_has_changes_nothing(accounts: Accounts, db: Database):
    """A command given twice must not sign people out."""
    user = await member(accounts, admin=True)
    session = await accounts.open_session(user)

    await accounts.change_role(user.email, Role.ADMIN)

    assert await accounts.user_of_session(session.token) == user
    assert await details(db, "user.role_changed") == []


async def test_the_last_administrator_stays(accounts: Accounts):
    """Otherwise nobody could administer the server without its shell; one who cannot sign in yet does not count."""
    admin = await member(accounts, admin=True)
    invited, _ = await accounts.add_user("Ben", "ben@example.org", True)

    with pytest.raises(ConflictError) as caught:
        await accounts.change_role(admin.email, Role.DPO)
    assert caught.value.code == "last_admin"
    assert (await accounts.user(admin.id)).role is Role.ADMIN

    assert (await accounts.change_role(invited.email, Role.MEMBER)).role is Role.MEMBER
    await member(accounts, "eve@example.org", admin=True)
    assert (await accounts.change_role(admin.email, Role.DPO)).role is Role.DPO


async def test_an_administrator_with_nothing_but_a_passkey_is_one(accounts: Accounts, db: Database):
    """Or the server would call for a first administrator again, and let the only one go."""
    admin = await member(accounts, admin=True)
    key = {"name": "Key", "credential_id": "c", "public_key": "p", "sign_count": 0, "created_at_ms": 1}
    async with db.write() as conn:
        await conn.execute(delete(user_credentials))
        await conn.execute(insert(passkeys).values(id="k", user_id=admin.id, **key))

    with pytest.raises(ConflictError) as caught:
        await accounts.change_role(admin.email, Role.MEMBER)
    assert caught.value.code == "last_admin"
    assert await accounts.links.for_first_admin() is None


async def test_nobody_is_seen_who_never_came(accounts: Accounts, db: Database, clock: ManualClock):
    """Or an administrator takes an account for used that its holder never opened."""
    came = await member(accounts, "eve@example.org")
    await accounts.add_user("Ben", "ben@example.org", False)
    async with db.read() as conn:
        listed = {each.email: (each.state, each.last_seen_at_ms) for each in await directory.everybody(conn)}

    assert listed == {came.email: ("active", clock.now_ms()), "ben@example.org": ("invited", None)}


async def test_no_token_and_no_password_is_stored(accounts: Accounts, db: Database):
    """Whoever gets hold of the database file, or a backup of it, must not be able to sign in."""
    first = await accounts.links.for_first_admin()
    user = await member(accounts)
    session, link = await accounts.open_session(user), await accounts.links.for_password(user.id)

    async with db.read() as conn:
        everything = [str(row) for table in metadata.sorted_tables for row in await conn.execute(select(table))]

    assert len(everything) > 5
    for secret in (first, session.token, link, PASSWORD):
        assert secret is not None
        assert not [row for row in everything if secret in row]


class Interrupted(Passwords):
    """Something happens while a password is hashed, which takes its time."""

    meanwhile: Callable[[], Awaitable[object]] | None = None

    async def hash_for(self, password: str, *, name: str, email: str) -> str:
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            await meanwhile()
        return await super().hash_for(password, name=name, email=email)


@pytest.fixture
def slow(db: Database, clock: ManualClock) -> tuple[Accounts, Interrupted]:
    passwords = Interrupted(time_cost=1, memory_kib=8)
    return Accounts(db, clock, passwords=passwords), passwords


async def test_changing_the_password_cannot_undo_a_reset(slow: tuple[Accounts, Interrupted]):
    """Whoever sits at a stolen session, and is thrown out by a reset, must not set a password with the same breath."""
    accounts, passwords = slow
    user, token = await accounts.add_user("Ann", "ann@example.org")
    await accounts.links.redeem(token, None, None, PASSWORD)
    session = await accounts.open_session(user)
    link = await accounts.links.for_password(user.email)

    async def reset() -> None:
        await accounts.links.redeem(link, None, None, "eight green lanterns sink")

    passwords.meanwhile = reset
    with pytest.raises(NotSignedInError):
        await accounts.change_password(user, PASSWORD, "nine red lanterns float", keep_token=session.token)

    assert await accounts.check_password(user.email, "eight green lanterns sink")


async def test_only_a_session_that_goes_on_changes_the_password(slow: tuple[Accounts, Interrupted]):
    """Signed out from elsewhere in that moment, it is over."""
    accounts, passwords = slow
    user, token = await accounts.add_user("Ann", "ann@example.org")
    await accounts.links.redeem(token, None, None, PASSWORD)
    session = await accounts.open_session(user)

    passwords.meanwhile = lambda: accounts.close_session(session.token)
    with pytest.raises(NotSignedInError):
        await accounts.change_password(user, PASSWORD, "nine red lanterns float", keep_token=session.token)

    assert await accounts.check_password(user.email, PASSWORD)


async def test_a_link_for_a_password_changes_nothing_else(slow: tuple[Accounts, Interrupted], db: Database):
    """A name that was changed while the link was used stays changed."""
    accounts, passwords = slow
    user, token = await accounts.add_user("Ann", "ann@example.org")

    async def rename() -> None:
        async with db.write() as conn:
            await store.change_user(conn, user.id, name="Ann B.", email="ann.b@example.org")

    passwords.meanwhile = rename
    await accounts.links.redeem(token, None, None, PASSWORD)

    now = await accounts.user(user.id)
    assert (now.name, now.email) == ("Ann B.", "ann.b@example.org")
