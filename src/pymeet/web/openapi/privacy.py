"""Operations around personal data: the notice, one's own data, a guest's, and an erasure under way."""

from typing import Final

from pymeet.web import erasures, guest_data, my_data, sign_in
from pymeet.web.openapi import shapes_accounts
from pymeet.web.openapi import shapes_privacy as shapes
from pymeet.web.openapi.words import File, Operation, Section, Who

_ARCHIVE: Final = File(("application/zip",))

MY_DATA: Final = Section(
    "Your own data",
    "What is held about a member, and what they may do about it. Articles are those of the GDPR.",
    {
        "GET /privacy": Operation(
            "The privacy notice as data",
            Who.ANYBODY,
            shapes.Notice,
            also={304: None},
            query=shapes.LanguageQuery,
            localised=True,
        ),
        "GET /my-data": Operation("What is held about one", Who.MEMBER, shapes.OwnData, localised=True),
        "PATCH /my-data": Operation(
            "Correct one's name (Article 16)",
            Who.MEMBER,
            takes=my_data.Correction,
            refuses={404: "not_found", 409: "value_taken"},
        ),
        "POST /my-data/exports": Operation(
            "Ask for an archive (Articles 15 and 20)",
            Who.MEMBER,
            shapes.Made,
            status=202,
            takes=my_data.ExportWish,
            refuses={429: "too_many"},
            more="It is made in the background; a mail tells when it is ready, where mail is on.",
        ),
        "GET /my-data/exports/{id}/file": Operation(
            "The archive",
            Who.MEMBER,
            _ARCHIVE,
            refuses={404: "not_found no_such_export"},
            more="For 72 hours, five times.",
        ),
        "PUT /my-data/restriction": Operation(
            "Restrict the use of one's data, or end that (Article 18)", Who.MEMBER, takes=my_data.Switch
        ),
        "PUT /my-data/objection": Operation(
            "Object to the use of one's data, or take that back (Article 21)", Who.MEMBER, takes=my_data.Switch
        ),
        "POST /my-data/erasure": Operation(
            "Ask to be erased (Article 17)",
            Who.MEMBER,
            shapes.ErasureBegun,
            takes=my_data.Confirmation,
            refuses={
                401: "wrong_credentials",
                403: "confirm_first",
                409: "conflict last_administrator erasure_has_begun",
                429: "too_many",
            },
            more="The session ends. Until `erased_after` it can be cancelled.",
        ),
        "POST /my-data/consents/{id}/withdraw": Operation(
            "Take a consent back (Article 7(3))",
            Who.MEMBER,
            refuses={409: "no_consent held"},
            more="What was recorded by it is destroyed.",
        ),
        "GET /my-data/consents/{id}/receipt": Operation(
            "The receipt of a consent",
            Who.MEMBER,
            File(("application/json",)),
            more="Byte for byte as it was signed (ISO/IEC TS 27560).",
        ),
        "POST /my-data/recordings/{id}/remove": Operation(
            "Be taken out of a recording, for good",
            Who.MEMBER,
            refuses={404: "not_found", 409: "held"},
            more="Also while it runs. Where a legal hold keeps it, only the consent ends now; the rest follows with the hold.",
        ),
        "POST /my-data/notice": Operation(
            "Say that one has read the privacy notice",
            Who.MEMBER,
            takes=my_data.NoticeRead,
            refuses={404: "not_found"},
        ),
    },
)

GUEST_DATA: Final = Section(
    "A guest's data",
    "People without an account show the privacy receipt that they got when they joined; it does not expire.",
    {
        "POST /guest-data": Operation(
            "What is held under a receipt",
            Who.ANYBODY,
            shapes.GuestData,
            takes=guest_data.Shown,
            refuses={401: "bad_receipt", 429: "too_many"},
            localised=True,
        ),
        "POST /guest-data/export": Operation(
            "The archive (Articles 15 and 20)",
            Who.ANYBODY,
            _ARCHIVE,
            takes=guest_data.ExportWish,
            refuses={401: "bad_receipt", 404: "nothing_held", 429: "too_many"},
        ),
        "PUT /guest-data/restriction": Operation(
            "Restrict the use of the data, or end that (Article 18)",
            Who.ANYBODY,
            takes=guest_data.Switch,
            refuses={401: "bad_receipt", 404: "nothing_held", 429: "too_many"},
        ),
        "POST /guest-data/erasure": Operation(
            "Be erased, at once (Article 17)",
            Who.ANYBODY,
            shapes.GuestErasureBegun,
            takes=guest_data.Shown,
            refuses={401: "bad_receipt", 404: "nothing_held", 429: "too_many"},
        ),
        "POST /guest-data/consents/{id}/withdraw": Operation(
            "Take a consent back (Article 7(3))",
            Who.ANYBODY,
            takes=guest_data.Shown,
            refuses={401: "bad_receipt", 404: "not_found nothing_held", 409: "no_consent held", 429: "too_many"},
            more="What was recorded by it is destroyed.",
        ),
        "POST /guest-data/recordings/{id}/remove": Operation(
            "Be taken out of a recording, for good",
            Who.ANYBODY,
            takes=guest_data.Shown,
            refuses={401: "bad_receipt", 404: "not_found nothing_held", 409: "held", 429: "too_many"},
        ),
    },
)

ERASURES: Final = Section(
    "An erasure under way",
    "For who asked to be erased and cannot sign in any more.",
    {
        "POST /erasures/inspect": Operation(
            "How far it is",
            Who.ANYBODY,
            shapes.ErasureState,
            takes=erasures.Status,
            refuses={401: "bad_status", 404: "not_found no_such_request", 429: "too_many"},
        ),
        "POST /erasures/cancel": Operation(
            "Cancel it, and sign in",
            Who.ANYBODY,
            shapes_accounts.SignedIn | shapes_accounts.SecondFactorNeeded,
            takes=sign_in.SignIn,
            refuses={
                401: "wrong_credentials account_disabled",
                403: "oidc_only",
                409: "no_erasure erasure_has_begun",
                429: "too_many",
            },
        ),
    },
)
