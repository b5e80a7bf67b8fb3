"""The data map as a diagram in Mermaid's language: people on the left, what is kept in the middle, recipients on the right."""

from collections.abc import Iterator

from pymeet.config import Config
from pymeet.db.declared import tables
from pymeet.db.inventory import Category, Recipient
from pymeet.db.outflows import RECEIVERS, Needs
from pymeet.privacy.documents.words import Words


def flow(say: Words, config: Config) -> str:
    """The diagram."""
    by_category: dict[Category, list[str]] = {}
    for file, entry in tables():
        if file == "pymeet.db":
            by_category.setdefault(entry.category, []).append(entry.name)
    return "\n".join(_flow_lines(say, config, by_category))


def receiver_state(needs: Needs, config: Config) -> str:
    """The key of the word that says whether a recipient gets anything with these settings."""
    there = {
        Needs.NOTHING: True,
        Needs.MAIL: config.mail.host is not None,
        Needs.OIDC: config.oidc.issuer is not None,
        Needs.TURN: bool(config.media.turn.urls),
    }
    return "configured" if there[needs] else "none_configured"


def _flow_lines(say: Words, config: Config, by_category: dict[Category, list[str]]) -> Iterator[str]:
    yield "flowchart LR"
    yield f'  people(["{say("data_map.people")}"])'
    yield f'  browser["{say("notice.browser.heading")}"]'
    yield f'  subgraph server["{say("data_map.server")}"]'
    yield f'    memory["{say("notice.memory.heading")}"]'
    yield '    subgraph database["pymeet.db"]'
    for category in Category:
        if names := by_category.get(category):
            yield f'      {_node(category)}["{say(f"category.{category}")}<br/>{"<br/>".join(sorted(names))}"]'
    yield "    end"
    yield f'    files["{say("data_map.sealed")}<br/>files/"]'
    yield '    keys["keys.db, master.key"]'
    yield "  end"
    yield "  people --> browser --> memory --> database"
    yield "  database --- files"
    yield f"  keys -. {say('data_map.opens')} .-> files"
    for number, each in enumerate(RECEIVERS):
        if receiver_state(each.needs, config) == "configured":
            source = "memory" if Recipient.ROOM in each.means else "database"
            yield f'  {source} --> recipient{number}(["{say.of(each.name)}"])'


def _node(category: Category) -> str:
    return category.replace("-", "_")
