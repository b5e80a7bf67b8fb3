"""Storage: the schema that is the data inventory, the engine, the migrations and the audit log."""
