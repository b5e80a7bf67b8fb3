"""`pymeet serve`: the server itself."""

import typer

from pymeet.cli.options import ConfigFile, command, configuration


def serve(config: ConfigFile = None) -> None:
    """Start the server. Needs no configuration: the first start makes keys, database and certificate."""
    settings = configuration(config)
    # Late, because it brings everything, and the other commands start quickly without it.
    from pymeet import server

    raise typer.Exit(server.run(settings, make_room=command('room create "Our meeting"', file=config)))
