"""Size of a report and how long a browser takes: `python benchmarks/page.py <report.html> ...`.

Needs Playwright and the system's Chromium. The time to text is that of the first paint, when the
static page can be read; the time to answers is that until every figure of the page is drawn anew.
CPU seconds are of the page's main thread, and say more on a machine that others share.
"""

import shutil
import sys
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

TIMES = 3
DRAWN = "document.documentElement.dataset.drawn !== undefined"
PAINTED = "performance.getEntriesByType('paint')[0].startTime"


def seconds(browser: Browser, page: Path) -> tuple[float, float, float]:
    """Open a page once: time to text, time to answers, CPU time to answers."""
    tab = browser.new_page(viewport={"width": 1280, "height": 800})
    tab.set_default_timeout(0)
    session = tab.context.new_cdp_session(tab)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    tab.goto(page.absolute().as_uri())
    tab.wait_for_function(DRAWN)
    found = tab.evaluate(PAINTED) / 1000, tab.evaluate("performance.now()") / 1000
    metrics = session.send("Performance.getMetrics")["metrics"]
    [busy] = [one["value"] for one in metrics if one["name"] == "TaskDuration"]
    tab.close()
    return *found, busy


def main() -> None:
    """Print a line per page."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for page in map(Path, sys.argv[1:]):
            times = [seconds(browser, page) for _ in range(TIMES)]
            text, answers, busy = (min(one[at] for one in times) for at in (0, 1, 2))
            size = page.stat().st_size / 1e6
            print(
                f"{page}: {size:.2f} MB, text after {text:.1f} s, answers after {answers:.1f} s"
                f" ({busy:.1f} CPU s)",
                flush=True,
            )


if __name__ == "__main__":
    main()
