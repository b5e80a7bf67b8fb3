"""Which files of a folder become visible."""

from pathlib import Path

from pymeet.web.static_files import read_files


def test_links_hidden_files_and_unknown_kinds_stay_unseen(tmp_path: Path):
    """A stray link in the folder must not open the rest of the machine."""
    folder = tmp_path / "static"
    (folder / "js").mkdir(parents=True)
    (folder / "js" / "app.js").write_text("export {};")
    (folder / ".env").write_text("secret")
    (folder / ".hidden.js").write_text("secret")
    (folder / "notes.bak").write_text("old")
    outside = tmp_path / "outside.js"
    outside.write_text("secret")
    (folder / "link.js").symlink_to(outside)
    (folder / "linked").symlink_to(tmp_path)

    files = read_files(folder)

    assert list(files) == ["js/app.js"]
    assert files["js/app.js"].content_type == "text/javascript; charset=utf-8"


def test_a_missing_folder_is_an_empty_one(tmp_path: Path):
    """The server can be tested before there is a client."""
    assert read_files(tmp_path / "nowhere") == {}
