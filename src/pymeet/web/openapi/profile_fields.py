"""Operations around the fields that administrators add to the profile."""

from typing import Final

from pymeet.web import profile_fields
from pymeet.web.openapi import shapes_profile_fields as shapes
from pymeet.web.openapi.words import Operation, Section, Who

PROFILE_FIELDS: Final = Section(
    "Profile fields",
    "Administrators add up to 20 fields of one line to everybody's profile. What stands in them, the person and "
    "administrators see, and nobody else.",
    {
        "GET /profile/fields": Operation("The fields of the profile, with yours", Who.MEMBER, shapes.FilledFields),
        "PATCH /profile/fields": Operation(
            "Fill in your fields",
            Who.MEMBER,
            shapes.FilledFields,
            takes=profile_fields.Values,
            refuses={403: "field_not_editable", 404: "not_found"},
            more="All of them or none. What is not there stays as it is; null empties a field.",
        ),
        "GET /admin/profile-fields": Operation(
            "All fields, and for how many each is filled in", Who.ADMIN, shapes.ProfileFields
        ),
        "POST /admin/profile-fields": Operation(
            "Add a field",
            Who.ADMIN,
            shapes.ProfileField,
            status=201,
            takes=profile_fields.NewField,
            refuses={409: "label_taken too_many_fields"},
        ),
        "PATCH /admin/profile-fields/{id}": Operation(
            "Change a field",
            Who.ADMIN,
            shapes.ProfileField,
            takes=profile_fields.FieldWish,
            refuses={409: "label_taken"},
            more="What stands in it stays.",
        ),
        "DELETE /admin/profile-fields/{id}": Operation(
            "Delete a field",
            Who.ADMIN,
            refuses={409: "held"},
            more="With what stands in it, for everybody. Not while a legal hold keeps some of that.",
        ),
        "GET /admin/users/{id}/profile-fields": Operation(
            "Somebody's fields", Who.ADMIN, shapes.FilledFields, more="Looking is written to the audit log."
        ),
        "PATCH /admin/users/{id}/profile-fields": Operation(
            "Fill in somebody's fields",
            Who.ADMIN,
            shapes.FilledFields,
            takes=profile_fields.Values,
            more="All of them or none. What is not there stays as it is; null empties a field.",
        ),
    },
)
