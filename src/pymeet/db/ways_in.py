"""What it takes to sign in. It stands here once, so that nobody takes for the last administrator who is not."""

from sqlalchemy import ColumnElement, and_, exists, or_, select

from pymeet.db.schema import identities, passkeys, processing_limits, user_credentials, users

_OWN = (user_credentials, passkeys)


def has_own_way_in() -> ColumnElement[bool]:
    """The condition that picks accounts with a password or a passkey: their holder needs no OpenID provider."""
    return or_(*(exists(select(each.c.user_id).where(each.c.user_id == users.c.id).correlate(users)) for each in _OWN))


def has_way_in() -> ColumnElement[bool]:
    """The condition that picks accounts by which somebody can sign in: also by an identity at the OpenID provider."""
    identity = select(identities.c.id).where(identities.c.user_id == users.c.id)
    return or_(has_own_way_in(), exists(identity.correlate(users)))


def being_erased() -> ColumnElement[bool]:
    """The condition that picks accounts whose erasure is under way: nobody gets in, until it is cancelled."""
    mine = processing_limits.c.user_id == users.c.id
    wanted = processing_limits.c.cause == "erasure", processing_limits.c.lifted_at_ms.is_(None)
    return exists(select(processing_limits.c.id).where(mine, *wanted).correlate(users))


def usable() -> ColumnElement[bool]:
    """The condition that picks accounts with which somebody gets in: neither disabled nor being erased."""
    return and_(users.c.disabled_at_ms.is_(None), ~being_erased())


def able_admin() -> ColumnElement[bool]:
    """The condition that picks administrators who can sign in, and go on doing so."""
    return and_(users.c.is_admin, usable(), has_way_in())
