"""What Alembic runs to apply migrations: on the connection, and in the transaction, that db/migrate.py hands in."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transactional_ddl=True)
context.run_migrations()
