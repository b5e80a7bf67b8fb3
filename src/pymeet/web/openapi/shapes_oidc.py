"""What the API answers about signing in through the OpenID provider."""

from typing import Literal

from typing_extensions import TypedDict

from pymeet.web.openapi.shapes_accounts import SecondFactor, User


class GoThere(TypedDict):
    """Where to send the browser."""

    url: str


class CameBack(TypedDict):
    """Who came back from the provider; after signing in the answer sets the session cookie."""

    user: User
    purpose: Literal["sign_in", "keep", "link", "confirm"]
    """What they went there for; `keep` also cancelled the erasure of the account."""
    return_to: str
    """The path that was given when it began."""


class CameBackHalf(TypedDict):
    """The provider signed the person in, and this server asks for its own second factor, too."""

    second_factor: SecondFactor
    purpose: Literal["sign_in", "keep"]
    return_to: str
