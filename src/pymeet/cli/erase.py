"""`pymeet erase-user`, `find-subject`, `find-mentions`, `correct-user` and `privacy verify`: people's rights in practice."""

import sys
from datetime import datetime
from typing import Annotated, Any

import typer

from pymeet.cli import privacy
from pymeet.cli.exit_codes import PARTLY
from pymeet.cli.help_text import Command
from pymeet.cli.options import AsJson, ConfigFile, Yes, operate
from pymeet.cli.output import confirm_destructive, counted, fail, hint, moment, progress_bar, say, show_json, show_table

Who = Annotated[
    str,
    typer.Argument(
        metavar="WHO",
        help="An e-mail address, an account's id, or a guest's receipt; `-` reads it from standard input.",
    ),
]

_DOES = {"delete": "deleted", "anonymise": "made anonymous", "keep": "kept"}

_SEARCHES = {
    "clean": "Afterwards {bytes:,} bytes in {files} files were searched for {texts} of their {texts_of} values: nothing found.",
    "found": "Afterwards {bytes:,} bytes in {files} files were searched for {texts} of their {texts_of} values: remains were found.",
}

_FINDINGS = {
    "people_returned": "People whom the ledger knows as erased are in the database again.\n"
    "Stop the server and restore the backup once more: `pymeet restore` erases them again.",
    "ledger_damaged": "Lines of the erasure ledger are not as they were written.\n"
    "Find out who changed the file; `pymeet backup list` shows copies of it.",
    "erasure_interrupted": "An erasure has begun and is not at its end.\nThe server goes on with it within a day.",
    "log_not_emptied": "The write-ahead log could not be emptied, because somebody reads the database.\n"
    "Deleted content may stand in it until then. Run this again when no other program has the database open.",
    "free_pages_not_empty": "Free pages of a database hold former content.\n"
    "Something wrote to it without overwriting. Stop the server and run `sqlite3 pymeet.db VACUUM` in the data directory.",
    "free_pages_not_seen": "Free pages could not be looked at, because somebody writes without pause.\nRun this again later.",
    "unknown_files": "There are sealed files that no row knows.\nThe server removes them within a day.",
    "files_not_removed": "Files that must go could not be removed yet.\n"
    "The server tries again; see its log, and whether it may write to the data directory.",
    "remains_found": "What was searched for was found.\nThe places stand above. Remove it there, and run this again.",
    "files_unread": "Some files could not be read.\nRun this as the user who runs pymeet.",
    "not_erased": "This person has an account.\nErase it with `pymeet erase-user` first.",
}


def erase_user(
    who: Who,
    now: Annotated[bool, typer.Option("--now", help="Do not wait until the time to cancel is over.")] = False,
    cancel: Annotated[bool, typer.Option("--cancel", help="Take back an erasure that has not begun.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be done.")] = False,
    yes: Yes = False,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Erase a person, after showing what that does.

    They are hidden and signed out at once, and everything goes when the time to cancel is over. Ends with 5 when something
    is held back or was found afterwards.
    """
    who = _read(who)
    if cancel:
        if now or dry_run:
            raise typer.BadParameter("--cancel stands alone.")
        _cancel(who, config, as_json=as_json)
        return
    plan = operate(config, "erasure.preview", who=who)
    if dry_run:
        _show_plan(plan, now=now, as_json=as_json)
        return
    if not yes and not as_json:
        _show_plan(plan, now=now, as_json=False)
    question = "Erase this person now, for good?" if now else "Hide this person now, and erase them then?"
    confirm_destructive([] if not as_json else _summary(plan, now=now), question, yes=yes)
    with progress_bar("Erasing", as_json=as_json) as bar:
        done = operate(config, "erasure.now" if now else "erasure.request", on_progress=bar, who=who)
    receipt = done["receipt"]
    if as_json:
        show_json({"plan": plan, **done})
    elif receipt:
        _tell(receipt)
    else:
        say(f"Hidden and signed out. The erasure begins on {_day(done['request']['not_before'])}.")
        hint("Until then `pymeet erase-user WHO --cancel` takes it back.")
    if receipt and not receipt["complete"]:
        raise typer.Exit(PARTLY)


def find_subject(
    text: Annotated[
        str, typer.Argument(metavar="TEXT", help="An address, an id, a receipt or a name; `-` reads standard input.")
    ],
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Find the people who may be meant by a text."""
    found = operate(config, "subject.find", text=_read(text))
    if as_json:
        show_json(found)
    elif found:
        rows = [
            [
                "account" if each["person"]["anchor"] == "member" else "guest",
                each["person"]["id"],
                each["name"] or "",
                each["email"] or "",
                each["room"] or "",
                moment(each["at"]),
                each["how"] if each["certain"] else "name only: check who it is",
            ]
            for each in found
        ]
        show_table(["Who", "Id", "Name", "E-mail", "Room", "When (UTC)", "Found by"], rows)
    else:
        hint(
            "Nobody was found. A name must be the whole name; `pymeet find-mentions NAME` finds texts with a part of it."
        )


def find_mentions(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A name, or a part of one.")],
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """List the texts in which a name stands.

    What becomes of them is for a person to decide.
    """
    found = operate(config, "subject.mentions", name=name)
    if as_json:
        show_json(found)
    elif found:
        rows = [[moment(each["at"]), each["room"] or "", each["table"], each["id"], each["excerpt"]] for each in found]
        show_table(["When (UTC)", "Room", "Where", "Id", "Text"], rows)
        hint("Nothing is rewritten by itself: other people wrote these texts, and a name may be somebody else's.")
    else:
        hint("No text with this name was found.")


def correct_user(
    who: Who,
    name: Annotated[str | None, typer.Option(metavar="NAME", help="The right name.")] = None,
    email: Annotated[str | None, typer.Option(metavar="EMAIL", help="The right e-mail address.")] = None,
    in_meetings: Annotated[
        bool, typer.Option("--in-meetings", help="Correct the name in messages and attendance too.")
    ] = False,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Correct a person's name or e-mail address."""
    done = operate(config, "subject.correct", who=_read(who), name=name, email=email, in_meetings=in_meetings)
    if as_json:
        show_json(done)
        return
    for place, rows in done["corrected"].items():
        say(f"Corrected {place} in {counted(rows, 'row')}.")


@privacy.app.command("verify", cls=Command)
def verify(
    user: Annotated[
        str | None,
        typer.Option(
            metavar="EMAIL", help="Also search all bytes for this address or id; `-` reads it from standard input."
        ),
    ] = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Look whether what should be gone is gone.

    Looks at the real data, also while the server runs. Ends with 5 when something is not as it should be.
    """
    who = None if user is None else _read(user)
    with progress_bar("Verifying", as_json=as_json) as bar:
        found = operate(config, "privacy.verify", on_progress=bar, who=who)
    if as_json:
        show_json(found)
    else:
        _tell_verified(found)
    if found["findings"]:
        raise typer.Exit(PARTLY)


def _cancel(who: str, config: Any, *, as_json: bool) -> None:
    request = operate(config, "erasure.cancel", who=who)
    if as_json:
        show_json(request)
        return
    say("The erasure is cancelled. What was hidden can be seen again.")
    hint("The person has to sign in again.")


def _show_plan(plan: dict[str, Any], *, now: bool, as_json: bool) -> None:
    if as_json:
        show_json(plan)
        return
    rows = [
        [step["table"], step["category"], _DOES[step["action"]], step["rows"], _held(step), step["files"] or ""]
        for step in plan["steps"]
    ]
    show_table(["Table", "About", "What happens", "Rows", "Held", "Files"], rows)
    for line in _summary(plan, now=now):
        hint(line)


def _held(step: dict[str, Any]) -> object:
    """What stays anyway needs no hold, and is not in the sum below the table."""
    return "" if step["action"] == "keep" else step["held"] or ""


def _summary(plan: dict[str, Any], *, now: bool) -> list[str]:
    when = "now" if now else f"on {_day(plan['not_before'])}; they are hidden and signed out at once"
    lines = [f"{counted(plan['rows'], 'row')} of a {plan['anchor']} go {when}."]
    if plan["rooms_without_owner"]:
        one = plan["rooms_without_owner"] == 1
        lines.append(f"{counted(plan['rooms_without_owner'], 'room')} {'loses its' if one else 'lose their'} owner.")
    if plan["held"]:
        lines.append(f"{counted(plan['held'], 'row')} must wait for a legal hold, and the account with them.")
    if plan["last_administrator"]:
        lines.append("This is the last administrator who can sign in: make another one first, or it is refused.")
    for table, reasons in plan["reasons"].items():
        lines.append(f"Kept in {table}: {' '.join(reasons)}")
    return lines


def _tell(receipt: dict[str, Any]) -> None:
    deleted, anonymised = sum(receipt["deleted"].values()), sum(receipt["anonymised"].values())
    if receipt["state"] == "done":
        say("Erased.")
    elif receipt["held"]:
        held = sum(receipt["held"].values())
        say(f"Erased in part: a legal hold keeps {counted(held, 'row')}, and the account with them.")
    else:
        say("The rows are gone, but not everything is off the disk yet; the server goes on with it.")
    say(f"Receipt: {receipt['request_id']}")
    hint(f"Deleted: {counted(deleted, 'row')}. Made anonymous: {anonymised}. Files destroyed: {receipt['files']}.")
    findings = receipt["findings"]
    if receipt["search"] in _SEARCHES:
        hint(_SEARCHES[receipt["search"]].format(**findings))
    else:
        hint("The search for remains has not run. `pymeet privacy verify` looks at the data again.")
    for each in (findings or {}).get("remains", []):
        hint(f"Found in {each['place']} ({each['form']}): {each['count']}.")
    if mentions := (findings or {}).get("mentions"):
        where = ", ".join(mentions)
        hint(f"Others wrote about them, or have the same name, in {where}; `pymeet find-mentions NAME` shows where.")
    if receipt["mail_queued"]:
        hint("One mail with their address waits to be sent, to tell them; its row ends by retention.mail_sent.")
    if receipt["recipients"]:
        hint(f"Such data went to: {', '.join(receipt['recipients'])}. Tell them where needed (Article 19).")
    if receipt["backups_until"]:
        hint(f"Older backups may hold a copy until {_day(receipt['backups_until'])}; a restore erases them again.")
    hint("What a disk keeps by itself, such as snapshots or worn cells of an SSD, no program can see.")


def _tell_verified(found: dict[str, Any]) -> None:
    searched, asked = found["searched"], found["asked"]
    say(f"People in the ledger of erasures: {found['erasures']}. In the database again: {found['returned']}.")
    pages = searched["free_pages"]
    say(f"Free pages: {'not seen' if pages is None else pages}. With former content: {searched['dirty_pages']}.")
    say(f"Write-ahead log: {'empty' if found['log_emptied'] else 'in use'}. Unknown files: {found['unknown_files']}.")
    if asked:
        when = f"erased on {_day(asked['erased_at'])}" if asked["erased_at"] else "not in the ledger"
        say(f"This person: {when}. Searched {searched['bytes']:,} bytes in {searched['files']} files.")
        for each in searched["remains"]:
            say(f"Found in {each['place']} ({each['form']}): {each['count']}.")
        for place, count in searched["mentions"].items():
            say(f"Mentioned by others in {place}: {count}.")
    for word in found["findings"]:
        fail(_FINDINGS[word], word)
    if not found["findings"]:
        hint("Everything is as it should be.")


def _read(text: str) -> str:
    return sys.stdin.readline().strip() if text == "-" else text


def _day(text: str) -> str:
    return datetime.fromisoformat(text).strftime("%-d %B %Y")
