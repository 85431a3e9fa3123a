"""Chromium without a window, found by name on PATH; a browser is never downloaded."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")

# What the page was kept from doing, and how long it kept the browser busy (milliseconds).
WATCH = """
window.refused = [];
addEventListener("securitypolicyviolation", (e) => refused.push(e.violatedDirective));
window.longTasks = [];
new PerformanceObserver((list) => {
  for (const task of list.getEntries()) longTasks.push(task.duration);
}).observe({ type: "longtask", buffered: true });
window.frameGaps = [];
let lastFrame = 0;
const frame = (now) => {
  if (lastFrame) frameGaps.push(now - lastFrame);
  lastFrame = now;
  requestAnimationFrame(frame);
};
requestAnimationFrame(frame);
"""


@contextmanager
def chromium() -> Iterator:
    """A browser (playwright's `Browser`); skips the test where none is installed."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip(f"none of {', '.join(NAMES)} is on PATH: the page is not tested in a browser")
    from playwright.sync_api import sync_playwright

    # Chromium's sandbox does not work for root, as whom containers run.
    options = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=options)
        yield browser
        browser.close()
