"""What people read in German calls one thing by one word, on pages, in mails and in documents."""

import re

import pytest
from test_guard_architecture import SOURCE

GERMAN = (
    "web/static/js/i18n/**/de.js",
    "mail/templates/*.de.txt",
    "privacy/documents/texts/*de*.yaml",
    "privacy/export/texts/de.yaml",
)


@pytest.mark.parametrize(
    ("instead_of", "word"),
    [
        (r"Aufnahme|[Aa]ufgenommen|[Mm]itschnitt", "Aufzeichnung"),
        (r"Kalender-?[Ff]eed|Kalender-?Abo\b", "Kalender-Abonnement"),
    ],
)
def test_one_thing_has_one_word(instead_of: str, word: str) -> None:
    """Whoever reads another word looks for another thing."""
    texts = {path: path.read_text() for pattern in GERMAN for path in SOURCE.glob(pattern) if path.is_file()}

    assert any(word in text for text in texts.values())
    assert [path.name for path, text in texts.items() if re.search(instead_of, text)] == []
