"""Outgoing mail: composing it and handing it to a mail server. What waits to be sent is kept by `db.outbox`."""
