"""Archives with everything that is held about one person, derived from the inventory (Articles 15 and 20)."""

from pymeet.privacy.export.service import (
    Export,
    ExportState,
    discard,
    export_person,
    exports_of,
    open_for_download,
    open_for_others,
    open_own,
    resume_or_fail,
)

__all__ = [
    "Export",
    "ExportState",
    "discard",
    "export_person",
    "exports_of",
    "open_for_download",
    "open_for_others",
    "open_own",
    "resume_or_fail",
]
