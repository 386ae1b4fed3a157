"""Chromium in front of Horizon, for ``test_horizon.py``: does what a user does and tells what a user sees.

Runs in Horizon's environment, which has selenium. Every action waits until the page is at rest, keeps a screenshot, and
fails on a message of an error. Where things are on a page is Horizon's and magnum-ui's matter, and stands only here.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from selenium import webdriver  # type: ignore[import-not-found]
from selenium.common.exceptions import (  # type: ignore[import-not-found]
    StaleElementReferenceException,
    TimeoutException,
)
from selenium.webdriver.chrome.service import Service  # type: ignore[import-not-found]
from selenium.webdriver.common.by import By  # type: ignore[import-not-found]
from selenium.webdriver.support.ui import (  # type: ignore[import-not-found]
    Select,
    WebDriverWait,
)

from magnum.tests.functional.clients.horizon.answering import answer

#: Seconds until a page must have come to rest; only there to end a wait for what never comes.
PATIENCE = 180.0

_OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--lang=en",
    "--window-size=1400,1300",
)

# Messages of success fade after some seconds, so each is written down when it comes.
_WRITE_MESSAGES_DOWN = """
window.messages = [];
new MutationObserver(changes => changes.forEach(change => change.addedNodes.forEach(node => {
    if (node.nodeType !== Node.ELEMENT_NODE || !node.closest('toast, .messages')) { return; }
    const found = node.matches('.alert') ? [node] : [...node.querySelectorAll('.alert')];
    found.forEach(alert => window.messages.push(
        [/danger|error|warning/.test(alert.className), alert.innerText.trim()]));
}))).observe(document, {childList: true, subtree: true});
"""

# At rest: loaded, no request of AngularJS on its way, nothing that spins, no window that is fading in or out.
_IS_AT_REST = """
if (document.readyState !== 'complete') { return false; }
const application = window.angular && angular.element(document.body).injector();
if (application && application.get('$http').pendingRequests.length) { return false; }
return !document.querySelector(
    '.modal .fa-spin, .ng-animate, .ng-enter, .modal.fade:not(.in), .modal-backdrop.fade:not(.in)');
"""

# What AngularJS writes when Horizon takes its own spinning window away.
_HARMLESS = "Possibly unhandled rejection: undefined"


class Complaint(Exception):
    """What the page shows is not what a user wants to see."""


class Panel:
    """The panel in a browser. Methods are what may be asked for."""

    def __init__(self, address: str, browser: str, driver: str, folder: Path, pictures: Path):
        options = webdriver.ChromeOptions()
        options.binary_location = browser
        for option in (*_OPTIONS, f"--user-data-dir={folder}"):
            options.add_argument(option)
        self._downloads = folder / "downloads"
        options.add_experimental_option(
            "prefs", {"download.default_directory": str(self._downloads)}
        )
        self._address, self._pictures, self._taken = address, pictures, 0
        self._page = webdriver.Chrome(options=options, service=Service(driver))
        self._page.execute_cdp_cmd(
            "Page.addScriptToEvaluateOnNewDocument", {"source": _WRITE_MESSAGES_DOWN}
        )

    def log_in(self, name: str, password: str) -> str:
        """Fill in the form; gives what the page's head says: project and region."""
        self._page.get(f"{self._address}/auth/login/?next=/project/clusters")
        self._one("[name=username]").send_keys(name)
        self._one("[name=password]").send_keys(password)
        self._one("#loginBtn").click()
        self._until(lambda: "/auth/login" not in self._page.current_url, "being let in")
        self._rest("logged in")
        head: str = self._one(".context-overview").text
        return head

    def open(self, path: str) -> None:
        """A page by its address."""
        self._page.get(f"{self._address}/{path}")
        self._rest(path.replace("/", " "))

    def rows(self) -> list[dict[str, str]]:
        """The rows of the page's table, each with its texts by column."""
        names = [head.text for head in self._all("table thead th[st-sort]")]
        found = []
        for row in self._all("table tbody tr[ng-repeat-start]"):
            cells = row.find_elements(By.CSS_SELECTOR, "td[ng-repeat]")
            found.append(dict(zip(names, (cell.text for cell in cells), strict=True)))
        return found

    def press(self, text: str) -> None:
        """A button or link with this text, in the window that is open, if there is one."""
        self._named(self._front(), "button, a", text).click()
        self._rest(text)

    def choose(self, row: str, action: str) -> None:
        """What can be done with the row in which this text stands: its button, or an entry of its menu."""
        line = self._until(lambda: self._row(row), f"a row with {row}")
        button = line.find_element(By.CSS_SELECTOR, ".split-button")
        if button.text.strip() != action:
            line.find_element(By.CSS_SELECTOR, ".split-caret").click()
            button = self._named(line, ".dropdown-menu a", action)
        button.click()
        self._rest(action)

    def expand(self, row: str) -> str:
        """Unfold a row; gives what is under it."""
        self._row(row).find_element(By.CSS_SELECTOR, ".expander .fa").click()
        below = self._until(lambda: self._seen(".detail-row .detail dl"), "the row to unfold")
        self._rest("unfolded")
        text: str = below[0].find_element(By.XPATH, "./ancestor::td").text
        return text

    def fill(self, tab: str | None, fields: dict[str, Any]) -> dict[str, str]:
        """Fields of a tab of the window, by name: text, an entry's text, or whether to tick; gives what it shows."""
        window = self._front()
        if tab is not None:
            self._named(window, ".wizard-nav a", tab).click()
        for name, value in fields.items():
            self._fill(f"[name='{name}']", value)
        self._rest(f"filled in {tab or ''}")
        shown = window.find_elements(By.CSS_SELECTOR, "input[name], select[name], textarea[name]")
        return {one.get_attribute("name"): _value(one) for one in shown if one.is_displayed()}

    def details(self) -> dict[str, str]:
        """Names and values of a page of details."""
        self._until(lambda: self._seen("dl dd"), "details")
        pairs: list[list[str]] = self._page.execute_script(
            "return [...document.querySelectorAll('.detail dl dt')].map(name => ["
            "name.innerText.trim(), (name.nextElementSibling || {}).innerText || ''])"
        )
        return dict(pairs)

    def submit(self, text: str = "Submit") -> str:
        """Press the button that sends the window; gives the message that says it worked."""
        self._until(
            lambda: self._named(self._front(), "button", text).is_enabled(), f"{text} to be allowed"
        )
        before = len(self._messages())
        self._named(self._front(), "button", text).click()
        self._until(lambda: len(self._messages()) > before, "a message")
        self._rest("sent")
        said: str = self._messages()[before][1]
        return said

    def downloaded(self, ending: str) -> str:
        """What a file says that the browser has stored, by the end of its name."""
        found = self._until(lambda: [*self._downloads.glob(f"*{ending}")], f"a file *{ending}")
        text: str = found[0].read_text()
        return text

    def close(self) -> None:
        """End the browser."""
        self._page.quit()

    def _front(self) -> Any:
        """The window that is open over the page, or the page."""
        windows = self._seen(".modal-dialog")
        return windows[-1] if windows else self._one("body")

    def _row(self, text: str) -> Any:
        rows = self._all("table tbody tr[ng-repeat-start]")
        return next((row for row in rows if text in row.text), None)

    def _fill(self, selector: str, value: Any) -> None:
        field = self._until(lambda: self._seen(f".modal-dialog {selector}"), selector)[0]
        if field.tag_name == "select":
            self._until(lambda: self._offered(field, value), f"{value} in {selector}")
            Select(field).select_by_visible_text(value)
        elif field.get_attribute("type") == "checkbox":
            if field.is_selected() != value:
                # The box itself is hidden behind its label, which is drawn.
                field.find_element(By.XPATH, "following-sibling::label").click()
        else:
            field.clear()
            field.send_keys(str(value))

    @staticmethod
    def _offered(field: Any, text: str) -> bool:
        return text in [option.text for option in Select(field).options]

    def _named(self, inside: Any, selector: str, text: str) -> Any:
        def found() -> Any:
            elements = inside.find_elements(By.CSS_SELECTOR, selector)
            return next((one for one in elements if one.is_displayed() and text in one.text), None)

        return self._until(found, f"“{text}”")

    def _one(self, selector: str) -> Any:
        return self._until(lambda: self._all(selector), selector)[0]

    def _all(self, selector: str) -> list[Any]:
        found: list[Any] = self._page.find_elements(By.CSS_SELECTOR, selector)
        return found

    def _seen(self, selector: str) -> list[Any]:
        return [element for element in self._all(selector) if element.is_displayed()]

    def _messages(self) -> list[list[Any]]:
        said: list[list[Any]] = self._page.execute_script("return window.messages || [];")
        return said

    def _rest(self, what: str) -> None:
        """Wait until the page is at rest, keep a picture of it, and fail if it shows an error."""
        self._until(lambda: self._page.execute_script(_IS_AT_REST), f"rest after {what}")
        self._picture(what)
        bad = [text for is_bad, text in self._messages() if is_bad]
        bad += [
            entry["message"]
            for entry in self._page.get_log("browser")
            if entry["level"] == "SEVERE" and _HARMLESS not in entry["message"]
        ]
        if bad:
            raise Complaint(f"after {what}: {bad}")

    def _picture(self, what: str) -> None:
        self._taken += 1
        name = f"{self._taken:02} {what.strip()}.png".replace(" ", "-").lower()
        self._page.save_screenshot(str(self._pictures / name))

    def _until(self, condition: Callable[[], Any], what: str) -> Any:
        """What a condition gives once it gives something true; one that the page changes under is asked again."""
        wait = WebDriverWait(
            self._page, PATIENCE, 0.1, ignored_exceptions=[StaleElementReferenceException]
        )
        try:
            return wait.until(lambda _: condition())
        except TimeoutException as error:
            self._picture("waited in vain")
            raise Complaint(f"waited in vain for {what}: {self._messages()}") from error


def _value(field: Any) -> str:
    if field.tag_name == "select":
        chosen: str = Select(field).first_selected_option.text
        return chosen
    if field.get_attribute("type") == "checkbox":
        return str(field.is_selected())
    return str(field.get_attribute("value"))


if __name__ == "__main__":
    panel = Panel(
        os.environ["PANEL_ADDRESS"],
        os.environ["PANEL_BROWSER"],
        os.environ["PANEL_DRIVER"],
        Path(os.environ["PANEL_FOLDER"]),
        Path(os.environ["PANEL_PICTURES"]),
    )
    try:
        names = (
            "log_in",
            "open",
            "rows",
            "press",
            "choose",
            "expand",
            "fill",
            "details",
            "submit",
            "downloaded",
        )
        answer({name: getattr(panel, name) for name in names})
    finally:
        panel.close()
