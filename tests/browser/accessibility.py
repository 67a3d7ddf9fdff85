"""Accessibility of a page, measured in the browser itself.

Contrast and targets are those of WCAG 2.2: 1.4.3 and 2.5.8 (here the larger 44 px of 2.5.5).
"""

from collections.abc import Sequence
from typing import Final, Literal

from playwright.async_api import Page

Landmark = Literal["banner", "main", "contentinfo", "navigation"]

CONTRAST: Final = 4.5
TARGET_PX: Final = 44

LOW_CONTRAST_TEXTS: Final = """least => {
  const channels = (color) => color.match(/[\\d.]+/g).map(Number);
  const linear = (part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  };
  const light = ([red, green, blue]) =>
    0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = channels(getComputedStyle(at).backgroundColor);
      if (color.length < 4 || color[3] === 1) return color;
    }
    return [255, 255, 255];
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const faint = [];
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    const text = texts.currentNode.textContent.trim();
    if (!text || !element.checkVisibility() || element.closest("script, style")) continue;
    const shades = [channels(getComputedStyle(element).color), ground(element)].map(light);
    const ratio = (Math.max(...shades) + 0.05) / (Math.min(...shades) + 0.05);
    if (ratio < least) faint.push([text, ratio]);
  }
  return faint;
}"""

SMALL_TARGETS: Final = """least => [...document.querySelectorAll("a, button")]
  .filter((target) => target.checkVisibility())
  .map((target) => [target.innerText, target.getBoundingClientRect()])
  .filter(([, box]) => box.height < least || box.width < least)
  .map(([name, box]) => [name, box.width, box.height])"""

OVERFLOWING_ELEMENTS: Final = """() => [...document.querySelectorAll("body *")]
  .filter((element) => element.getBoundingClientRect().right > screen.width + 0.5)
  .map((element) => element.outerHTML.slice(0, 80))"""

UNNAMED: Final = """() => [
  ...[...document.querySelectorAll("a, button")].filter((target) => !target.innerText.trim()),
  ...[...document.querySelectorAll("nav")].filter((part) => !part.getAttribute("aria-label")),
  ...[...document.querySelectorAll("section")].filter((part) =>
    !document.getElementById(part.getAttribute("aria-labelledby"))),
  ...[...document.querySelectorAll("[role=img]")].filter((part) =>
    !part.getAttribute("aria-label")),
  ...[...document.querySelectorAll("[aria-describedby]")].filter((part) =>
    !document.getElementById(part.getAttribute("aria-describedby"))),
].filter((part) => part.checkVisibility()).map((part) => part.outerHTML.slice(0, 80))"""

HEADINGS: Final = """() => [...document.querySelectorAll("h1, h2, h3")]
  .filter((heading) => heading.checkVisibility()).map((heading) => Number(heading.tagName[1]))"""

LANDMARKS: Final[Sequence[Landmark]] = ("banner", "main", "contentinfo", "navigation")


async def accessibility_issues(
    page: Page, *, landmarks: Sequence[Landmark] = LANDMARKS
) -> list[object]:
    """Return every obstacle on the page; an empty list when there is none."""
    found: list[object] = [
        *await page.evaluate(LOW_CONTRAST_TEXTS, CONTRAST),
        *await page.evaluate(SMALL_TARGETS, TARGET_PX),
        *await page.evaluate(OVERFLOWING_ELEMENTS),
        *await page.evaluate(UNNAMED),
    ]
    found += [f"no {part}" for part in landmarks if not await page.get_by_role(part).count()]
    levels = await page.evaluate(HEADINGS)
    if levels[:1] != [1] or levels.count(1) != 1 or set(levels) - {1, 2}:
        found.append(f"headings {levels}")
    if not await page.title() or not await page.locator("html").get_attribute("lang"):
        found.append("no title or language")
    return found
