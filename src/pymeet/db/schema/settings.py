"""What administrators set while the server runs, over what the configuration file says. Times are UTC milliseconds."""

from sqlalchemy import BigInteger, Column, Text

from pymeet.db.inventory import Basis, Category, EraseRow, Lasting, not_personal, table
from pymeet.db.schema.base import metadata

server_settings = table(
    "server_settings",
    metadata,
    Column("name", Text, primary_key=True, info=not_personal()),
    Column("value", Text, nullable=False, info=not_personal()),
    Column("changed_at_ms", BigInteger, nullable=False, info=not_personal()),
    category=Category.OPERATION,
    purpose="To let administrators change some settings without restarting the server. Who changed them stands in the audit log.",
    basis=Basis.LEGITIMATE_INTEREST,
    subject=(),
    keep=(Lasting("A setting holds until an administrator changes it, or gives it back to the configuration file."),),
    erase=EraseRow.COLUMNS,
)
