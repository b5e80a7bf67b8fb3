"""What commands end with; docs/admin.md tells the same. 130 after Ctrl-C comes from the library."""

from typing import Final

DONE: Final = 0
FAILED: Final = 1
USAGE: Final = 2
CONFIG: Final = 3
"""The configuration was refused."""

NOT_FOUND: Final = 4
PARTLY: Final = 5
"""Done only in part: something was withheld by a hold, failed, or had changed since it was planned."""

MUST_ASK: Final = 6
"""Nothing done: it asks first, nobody was there to be asked, and `--yes` was not given."""
