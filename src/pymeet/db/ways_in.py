"""What it takes to sign in. It stands here once, so that nobody takes for the last administrator who is not."""

from sqlalchemy import ColumnElement, exists, or_, select

from pymeet.db.schema import identities, passkeys, user_credentials, users

_OWN = (user_credentials, passkeys)


def has_own_way_in() -> ColumnElement[bool]:
    """The condition that picks accounts with a password or a passkey: their holder needs no OpenID provider."""
    return or_(*(exists(select(each.c.user_id).where(each.c.user_id == users.c.id).correlate(users)) for each in _OWN))


def has_way_in() -> ColumnElement[bool]:
    """The condition that picks accounts by which somebody can sign in: also by an identity at the OpenID provider."""
    identity = select(identities.c.id).where(identities.c.user_id == users.c.id)
    return or_(has_own_way_in(), exists(identity.correlate(users)))
