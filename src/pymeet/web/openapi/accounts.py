"""Operations around a person: signing in, the account, and the ways into it."""

from typing import Final

from pymeet.web import accounts, profile, security, sign_in, tokens
from pymeet.web.openapi import shapes_accounts as shapes
from pymeet.web.openapi.shapes_oidc import GoThere
from pymeet.web.openapi.words import File, Operation, Section, Who
from pymeet.web.profile import PICTURE_TYPES

_NOT_CHOOSABLE: Final = "invalid_input common_password personal_password"

SIGNING_IN: Final = Section(
    "Signing in",
    "A session is a cookie, which only browsers of this server's own pages use. Programs use an API token instead.",
    {
        "GET /me": Operation("Who asks, and what this server allows", Who.ANYBODY, shapes.Me),
        "POST /sign-in": Operation(
            "Sign in by password",
            Who.ANYBODY,
            shapes.SignedIn | shapes.SecondFactorNeeded,
            takes=sign_in.SignIn,
            refuses={
                401: "wrong_credentials account_disabled",
                403: "oidc_only",
                409: "erasure_pending",
                429: "too_many",
            },
        ),
        "POST /sign-in/second-factor": Operation(
            "Show a second factor",
            Who.ANYBODY,
            shapes.SignedIn,
            takes=sign_in.SecondFactor,
            refuses={
                401: "wrong_code passkey_refused ticket_void oidc_void not_signed_in",
                403: "oidc_only",
                404: "not_found",
                429: "too_many",
            },
            more="One of `code`, `recovery_code` and `credential`.",
        ),
        "POST /sign-in/passkey/options": Operation(
            "Begin to sign in by a passkey alone",
            Who.ANYBODY,
            shapes.PasskeyQuestion,
            refuses={409: "no_passkeys_here"},
        ),
        "POST /sign-in/passkey": Operation(
            "Sign in by a passkey",
            Who.ANYBODY,
            shapes.SignedIn,
            takes=sign_in.PasskeySignIn,
            refuses={
                401: "passkey_refused ticket_void not_signed_in",
                403: "oidc_only",
                404: "not_found",
                409: "no_passkeys_here",
                429: "too_many",
            },
        ),
        "POST /sign-out": Operation(
            "Sign out",
            Who.ANYBODY,
            also={200: GoThere},
            more="With an answer, go there to be signed out at the OpenID provider, too.",
        ),
        "POST /links/inspect": Operation(
            "What a one-time link is for",
            Who.ANYBODY,
            shapes.Link,
            takes=accounts.InspectLink,
            refuses={404: "link_void"},
        ),
        "POST /links/redeem": Operation(
            "Use a one-time link",
            Who.ANYBODY,
            shapes.SignedIn | shapes.SecondFactorNeeded | shapes.Nothing,
            takes=accounts.RedeemLink,
            refuses={
                400: _NOT_CHOOSABLE,
                401: "sign_in_first not_signed_in account_disabled",
                403: "registration_closed oidc_only",
                404: "link_void",
                409: "email_taken erasure_pending account_disabled",
            },
            more="Signs in, but for a link that proves an address: its answer is empty.",
        ),
        "POST /register": Operation(
            "Ask for a link to make an account",
            Who.ANYBODY,
            status=202,
            takes=accounts.Address,
            refuses={403: "registration_closed", 409: "mail_off", 429: "too_many"},
            more="The answer is the same whether or not there is such an account.",
        ),
        "POST /reset-password": Operation(
            "Ask for a link to choose another password",
            Who.ANYBODY,
            status=202,
            takes=accounts.Address,
            refuses={409: "mail_off", 429: "too_many"},
            more="The answer is the same whether or not there is such an account.",
        ),
        "POST /sign-in-link": Operation(
            "Ask for a link that signs in",
            Who.ANYBODY,
            status=202,
            takes=accounts.Address,
            refuses={409: "mail_off", 429: "too_many"},
            more="The answer is the same whether or not there is such an account.",
        ),
    },
)

PROFILE: Final = Section(
    "Profile",
    "What members set about themselves.",
    {
        "PATCH /profile": Operation(
            "Change name, language, time zone or theme",
            Who.MEMBER,
            shapes.NewUser,
            takes=profile.Profile,
            refuses={404: "not_found"},
            more="What is not there stays as it is; null takes a setting back.",
        ),
        "POST /profile/email": Operation(
            "Ask for another e-mail address",
            Who.MEMBER,
            status=202,
            takes=profile.NewAddress,
            refuses={401: "wrong_credentials", 403: "confirm_first", 409: "mail_off", 429: "too_many"},
            more="A link goes to the new address, which counts once the link is opened.",
        ),
        "PUT /profile/avatar": Operation(
            "Set the picture",
            Who.MEMBER,
            takes=File(PICTURE_TYPES),
            refuses={400: "not_a_picture invalid_input"},
            more="Up to 2 MB and 25 megapixels; it is drawn anew, 256 × 256, without metadata.",
        ),
        "DELETE /profile/avatar": Operation("Take the picture away", Who.MEMBER),
        "GET /users/{id}/avatar": Operation("A member's picture", Who.MEMBER, File(("image/webp",)), also={304: None}),
    },
)

SECURITY: Final = Section(
    "Security",
    "Second factors, passkeys, sessions and the password. What opens a new way in asks for the password once more.",
    {
        "GET /security": Operation("The ways into one's account", Who.MEMBER, shapes.Security),
        "POST /security/totp": Operation(
            "Begin to set up an authenticator app",
            Who.MEMBER,
            shapes.TotpSetup,
            takes=security.Confirmed,
            refuses={401: "wrong_credentials", 403: "confirm_first", 429: "too_many"},
        ),
        "POST /security/totp/confirm": Operation(
            "Confirm the app by a code",
            Who.MEMBER,
            shapes.RecoveryCodes,
            takes=security.TotpCode,
            refuses={400: "invalid_input wrong_code", 404: "no_setup"},
        ),
        "POST /security/totp/remove": Operation(
            "Remove the app",
            Who.MEMBER,
            takes=security.Confirmed,
            refuses={401: "wrong_credentials", 403: "confirm_first", 404: "not_found", 429: "too_many"},
        ),
        "POST /security/recovery-codes": Operation(
            "Make new recovery codes",
            Who.MEMBER,
            shapes.RecoveryCodes,
            takes=security.Confirmed,
            refuses={401: "wrong_credentials", 403: "confirm_first", 409: "no_second_factor", 429: "too_many"},
            more="Those from before are void.",
        ),
        "POST /security/passkeys/options": Operation(
            "Begin to add a passkey",
            Who.MEMBER,
            shapes.PasskeyOptions,
            takes=security.Confirmed,
            refuses={
                401: "wrong_credentials",
                403: "confirm_first",
                409: "no_passkeys_here too_many_passkeys",
                429: "too_many",
            },
        ),
        "POST /security/passkeys": Operation(
            "Add the passkey",
            Who.MEMBER,
            shapes.NewPasskey,
            status=201,
            takes=security.NewPasskey,
            refuses={400: "invalid_input passkey_refused", 404: "no_setup", 409: "passkey_known"},
        ),
        "PATCH /security/passkeys/{id}": Operation("Rename a passkey", Who.MEMBER, takes=security.PasskeyName),
        "POST /security/passkeys/{id}/remove": Operation(
            "Remove a passkey",
            Who.MEMBER,
            takes=security.Confirmed,
            refuses={401: "wrong_credentials", 403: "confirm_first", 429: "too_many"},
        ),
        "POST /security/password": Operation(
            "Change the password",
            Who.MEMBER,
            takes=security.NewPassword,
            refuses={400: _NOT_CHOOSABLE, 401: "wrong_credentials", 429: "too_many"},
            more="All other sessions end.",
        ),
        "POST /security/sessions/end-others": Operation("End all other sessions", Who.MEMBER, shapes.Ended),
        "DELETE /security/sessions/{id}": Operation("End a session", Who.MEMBER),
        "DELETE /security/devices/{id}": Operation("Forget a browser", Who.MEMBER),
        "GET /security/tokens": Operation("One's API tokens", Who.MEMBER, shapes.ApiTokens),
        "POST /security/tokens": Operation(
            "Make an API token",
            Who.MEMBER,
            shapes.MadeApiToken,
            status=201,
            takes=tokens.NewToken,
            refuses={
                401: "wrong_credentials",
                403: "scope_not_allowed confirm_first",
                409: "too_many_tokens account_disabled",
                429: "too_many",
            },
            more="The token itself is in this answer, and nowhere else afterwards.",
        ),
        "DELETE /security/tokens/{id}": Operation("Revoke an API token", Who.MEMBER),
    },
)
