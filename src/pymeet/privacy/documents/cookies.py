"""The cookie table: everything that a visitor's browser keeps for this server."""

from dataclasses import asdict

from pymeet.config import Config
from pymeet.privacy.documents.data_map import browser_grid
from pymeet.privacy.documents.model import Document, Section
from pymeet.privacy.documents.notice import browser_stores
from pymeet.privacy.documents.words import Words


def cookies(say: Words, config: Config) -> Document:
    """Cookies, local storage and session storage. All of it is essential."""
    grid = browser_grid(say, config)
    stores = [{**asdict(each), "essential": True} for each in browser_stores(say, config)]
    return Document(
        title=say("notice.browser.heading"),
        sections=(Section(text=(say("notice.browser.text"),), grid=grid),),
        rows=grid,
        data={"language": say.language, "stores": stores},
    )
