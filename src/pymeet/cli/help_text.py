"""How commands show their help: plain text that names rooms and people, without the types of Python."""

from typing import Any

from typer.core import TyperCommand


class Command(TyperCommand):
    """Shows an argument as `SLUG`, where the library has `{SLUG}` and `SLUG <str>`."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        return [piece.strip("{}") for piece in super().collect_usage_pieces(ctx)]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        for kind, title in (("argument", "Arguments"), ("option", "Options")):
            of_this_kind = [param for param in self.get_params(ctx) if param.param_type_name == kind]
            rows = [row for param in of_this_kind if (row := param.get_help_record(ctx))]
            if rows:
                with formatter.section(title):
                    formatter.write_dl(
                        [(name.removesuffix(" <str>"), text.removesuffix("  [required]")) for name, text in rows]
                    )
