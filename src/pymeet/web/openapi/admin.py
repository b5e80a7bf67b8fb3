"""Operations by which administrators and data protection officers look after accounts and personal data."""

from typing import Final

from pymeet.web import admin_users, my_data, privacy_admin, privacy_office
from pymeet.web.openapi import shapes_accounts
from pymeet.web.openapi import shapes_privacy as shapes
from pymeet.web.openapi.words import File, Operation, Section, Who

ACCOUNTS: Final = Section(
    "Accounts",
    "For administrators. What they look at is written to the audit log.",
    {
        "GET /admin/users": Operation(
            "Accounts by name, page by page",
            Who.ADMIN,
            shapes_accounts.Accounts,
            query=shapes_accounts.AccountsQuery,
        ),
        "POST /admin/invitations": Operation(
            "Make an account and send its link",
            Who.ADMIN,
            shapes_accounts.Invited,
            status=201,
            takes=admin_users.Invitation,
            refuses={403: "registration_closed", 409: "email_taken"},
            more="Somebody who has not come yet gets a fresh link.",
        ),
        "POST /admin/users/{id}/reset-password": Operation(
            "Send a link to choose a new password",
            Who.ADMIN,
            shapes_accounts.Invited,
            refuses={401: "account_disabled"},
        ),
        "POST /admin/users/{id}/disable": Operation(
            "Disable an account",
            Who.ADMIN,
            refuses={400: "invalid_input", 409: "last_admin"},
            more="Signed out everywhere, and taken out of meetings. Not one's own.",
        ),
        "POST /admin/users/{id}/enable": Operation("Enable an account", Who.ADMIN),
        "POST /admin/users/{id}/remove-second-factor": Operation(
            "Remove somebody's second factors",
            Who.ADMIN,
            refuses={400: "invalid_input"},
            more="For who has lost them all; not one's own.",
        ),
        "PUT /admin/users/{id}/role": Operation(
            "Change somebody's role",
            Who.ADMIN,
            takes=admin_users.RoleWish,
            refuses={409: "last_admin"},
            more="Their sessions end.",
        ),
        "GET /admin/users/{id}/access": Operation(
            "Somebody's API tokens, and their accounts at the OpenID provider",
            Who.ADMIN,
            shapes_accounts.Access,
            refuses={400: "invalid_input"},
            more="Not one's own.",
        ),
        "DELETE /admin/users/{id}/tokens/{token}": Operation(
            "End somebody's API token", Who.ADMIN, refuses={400: "invalid_input"}, more="Not one's own."
        ),
        "DELETE /admin/users/{id}/identities/{identity}": Operation(
            "Unlink an account of somebody at the OpenID provider",
            Who.ADMIN,
            refuses={400: "invalid_input"},
            more="Sessions that began with it end, and all their API tokens. Not one's own.",
        ),
        "DELETE /admin/users/{id}": Operation(
            "Erase somebody, with the time to cancel it",
            Who.ADMIN,
            shapes.OthersErasureBegun,
            refuses={409: "conflict last_administrator erasure_has_begun"},
        ),
    },
)

OFFICE: Final = Section(
    "Other people's data",
    "For administrators and data protection officers, as their roles allow. What is read about others is written to the audit log.",
    {
        "GET /admin/requests": Operation("The register of requests", Who.OFFICE, shapes.Requests),
        "POST /admin/requests": Operation(
            "Enter a request that came by letter or word of mouth",
            Who.OFFICE,
            shapes.Made,
            status=201,
            takes=privacy_office.NewRequest,
            refuses={401: "bad_receipt", 404: "not_found"},
        ),
        "POST /admin/requests/{id}/decide": Operation(
            "Decide a request",
            Who.OFFICE,
            takes=privacy_office.Decision,
            refuses={
                404: "not_found no_such_request",
                409: "conflict request_closed erasure_decides_itself erasure_has_begun",
            },
        ),
        "POST /admin/requests/{id}/extend": Operation(
            "Take more time for a request, once (Article 12(3))",
            Who.OFFICE,
            takes=privacy_office.Extension,
            refuses={404: "not_found no_such_request", 409: "conflict request_closed"},
        ),
        "POST /admin/people": Operation(
            "Find a person by address, id or receipt",
            Who.OFFICE,
            shapes.FoundPeople,
            takes=privacy_admin.Search,
            refuses={401: "bad_receipt"},
        ),
        "POST /admin/people/{id}/exports": Operation(
            "Have an archive made of somebody's data",
            Who.OFFICE,
            shapes.Made,
            status=202,
            takes=my_data.ExportWish,
            refuses={429: "too_many"},
        ),
        "GET /admin/exports/{id}/file": Operation(
            "That archive",
            Who.OFFICE,
            File(("application/zip",)),
            refuses={404: "not_found no_such_export"},
        ),
        "GET /admin/people/{id}/erasure": Operation(
            "What erasing somebody would do", Who.OFFICE, shapes.ErasurePlan, localised=True
        ),
        "POST /admin/people/{id}/erasure": Operation(
            "Erase somebody",
            Who.OFFICE,
            shapes.OthersErasureBegun,
            takes=privacy_admin.ErasureWish,
            refuses={409: "conflict last_administrator erasure_has_begun"},
        ),
        "GET /admin/holds": Operation("What must not be deleted yet", Who.OFFICE, shapes.Holds),
        "POST /admin/holds": Operation(
            "Place a legal hold",
            Who.OFFICE,
            shapes.Made,
            status=201,
            takes=privacy_office.NewHold,
            refuses={401: "bad_receipt", 404: "not_found", 409: "already_held"},
            more="On one person, by `email` or `receipt`, or on one room.",
        ),
        "POST /admin/holds/{id}/release": Operation("Release a hold", Who.OFFICE, refuses={409: "already_released"}),
        "GET /admin/audit": Operation(
            "The audit log, the newest first", Who.OFFICE, shapes.AuditEvents, query=shapes.AuditQuery
        ),
        "POST /admin/audit/verify": Operation(
            "Check every event, signature and checkpoint", Who.OFFICE, shapes.AuditReport
        ),
        "GET /admin/retention": Operation(
            "How long what is kept, and what waits", Who.OFFICE, shapes.Retention, localised=True
        ),
    },
)
