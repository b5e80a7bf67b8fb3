"""Words from fixed lists, which the database itself enforces."""

from sqlalchemy import CheckConstraint


def one_of(column: str, words: tuple[str, ...]) -> CheckConstraint:
    """The constraint that a column holds one of these words, or nothing."""
    listed = ", ".join(f"'{word}'" for word in words)
    return CheckConstraint(f"{column} IN ({listed})", name=f"{column}_word")
