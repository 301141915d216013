"""How somebody goes through a request's page, for its tests. A tap is a click; digits are typing."""

from __future__ import annotations

from playwright.sync_api import Page

#: A microphone that beeps, and nobody who has to allow it.
MICROPHONE = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
_DIGITS = {"birth_year": "1948", "phone": "13812345678", "building": "3", "door": "1502"}


def step_of(page: Page) -> str:
    """The step that is seen."""
    section = page.locator("[data-step]:not([hidden])")
    section.wait_for()
    named = section.get_attribute("data-step") or ""
    text = section.locator("[data-text-for]:not([hidden])")
    return str(text.get_attribute("data-text-for")) if " " in named and text.count() else named


def go_on(page: Page) -> None:
    """Answer the step that is seen, with its first choice, and go to the next."""
    step, section = step_of(page), page.locator("[data-step]:not([hidden])")
    if section.locator("[data-set]").count():
        section.locator("[data-set]:visible").first.click()
        return
    if section.locator("[data-pad]").count():
        for digit in _DIGITS[step]:
            section.locator(f'[data-digit="{digit}"]').click()
    if section.locator("[data-text]:visible").count():
        section.locator("[data-text]:visible").fill("王小明")
    page.locator(".act [data-next]:visible").click()
