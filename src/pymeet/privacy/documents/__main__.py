"""`python -m pymeet.privacy.documents docs` renews the generated pages in that folder."""

import sys
from pathlib import Path

from pymeet.privacy.documents.pages import pages

if __name__ == "__main__":
    for path, text in list(pages(Path(sys.argv[1]))):
        path.write_text(text, encoding="utf-8")
