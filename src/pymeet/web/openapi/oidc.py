"""Operations of signing in through the organisation's OpenID provider."""

from typing import Final

from pymeet.web import oidc
from pymeet.web.openapi import shapes_oidc as shapes
from pymeet.web.openapi.words import Operation, Section, Who

_AWAY: Final = {404: "not_found", 503: "provider_unavailable"}

OIDC: Final = Section(
    "Signing in through the organisation",
    "For servers with an OpenID provider; `oidc` in `GET /me` says whether there is one, otherwise all of this is 404. "
    "A browser goes to the address in the answer, and comes back to the page `/oidc/callback`.",
    {
        "POST /sign-in/oidc": Operation(
            "Begin to sign in", Who.ANYBODY, shapes.GoThere, takes=oidc.Begin, refuses=_AWAY
        ),
        "POST /sign-in/oidc/finish": Operation(
            "Come back from the provider",
            Who.ANYBODY,
            shapes.CameBack | shapes.CameBackHalf,
            takes=oidc.Finish,
            refuses={
                **_AWAY,
                401: "oidc_void oidc_refused account_unusable not_signed_in",
                403: "oidc_no_account oidc_email_unverified oidc_other_identity confirm_failed",
                409: "erasure_pending no_erasure oidc_taken",
            },
            more="For who signs in, who links an account, and who shows once more who they are.",
        ),
        "POST /security/confirm": Operation(
            "Begin to show once more who one is",
            Who.MEMBER,
            shapes.GoThere,
            takes=oidc.BeginConfirming,
            refuses=_AWAY,
            more="For ten minutes afterwards no password is asked for.",
        ),
        "POST /security/identities": Operation(
            "Begin to link an account at the provider",
            Who.MEMBER,
            shapes.GoThere,
            takes=oidc.BeginLinking,
            refuses={**_AWAY, 401: "wrong_credentials", 403: "confirm_first", 429: "too_many"},
        ),
        "POST /security/identities/{id}/remove": Operation(
            "Take such a link away",
            Who.MEMBER,
            takes=oidc.RemoveIdentity,
            refuses={401: "wrong_credentials", 403: "confirm_first", 409: "last_way_in", 429: "too_many"},
            more="Sessions that began with it end, but for the one that asks.",
        ),
    },
)
