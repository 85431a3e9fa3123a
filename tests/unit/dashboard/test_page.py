"""What the page's files hold, and must not."""

import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

DASHBOARD = Path(__file__).resolve().parents[3] / "dashboard"
PAGES = sorted(DASHBOARD.glob("*.html"))
SCRIPTS = sorted((DASHBOARD / "js").glob("*.js"))
# uPlot 1.6.32, as its npm package has them.
VENDOR = {
    "uPlot.iife.min.js": "19c8d4c6ad88929a79f4ae49d6f7161566dfd0ba3d15cc495e974f787eb78f1f",
    "uPlot.min.css": "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04",
    "uPlot.LICENSE.txt": "8f989229699b4fe2f1a0432d0e9edc338a8a911e250e2d1b01ecd770a5f5b1bd",
}


class Elements(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


def test_vendored_files_are_what_their_release_has():
    found = {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest()
        for file in (DASHBOARD / "vendor").iterdir()
    }
    assert found == VENDOR
    assert b"v1.6.32" in (DASHBOARD / "vendor" / "uPlot.iife.min.js").read_bytes()[:200]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_has_nothing_inline_and_nothing_from_elsewhere(page):
    elements = Elements(page.read_text()).found
    for tag, attributes in elements:
        assert not [name for name in attributes if name.startswith("on") or name == "style"], tag
        if tag == "script":
            assert attributes.get("src"), "an inline script"
        for name in ("src", "href"):
            assert ":" not in (attributes.get(name) or ""), attributes
    assert "style" not in [tag for tag, _ in elements]


def test_every_page_states_the_same_strict_policy():
    stated = [
        attributes["content"]
        for page in PAGES
        for tag, attributes in Elements(page.read_text()).found
        if attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    assert stated == [
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'"
    ] * len(PAGES)
    assert len(PAGES) == 2


def test_every_label_names_a_field_and_every_reference_exists():
    for page in PAGES:
        elements = Elements(page.read_text()).found
        ids = [attributes["id"] for _, attributes in elements if "id" in attributes]
        assert len(ids) == len(set(ids))
        for _, attributes in elements:
            for name in ("for", "aria-labelledby", "aria-describedby"):
                assert set((attributes.get(name) or "").split()) <= set(ids), attributes


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_a_script_puts_text_in_as_text(script):
    text = script.read_text()
    forbidden = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function"
    assert re.findall(forbidden, text) == []


def test_every_id_that_the_scripts_look_for_is_in_a_page():
    known = set(re.findall(r'id="([^"]+)"', "".join(page.read_text() for page in PAGES)))
    wanted = {
        name for script in SCRIPTS for name in re.findall(r'byId\("([^"]+)"\)', script.read_text())
    }
    assert wanted <= known
