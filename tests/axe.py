"""A page is judged by axe-core (Deque's; tests/npm): WCAG 2.2 A, AA and AAA, and its best practices.

Trap: with axe's defaults neither ``target-size`` nor ``color-contrast-enhanced`` runs, and a page passes that nobody
can read. So the tags are named here, and :func:`judge` fails where one of the two did not run at all.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

SOURCE = Path(__file__).with_name("npm") / "node_modules" / "axe-core" / "axe.min.js"
TAGS = (
    "wcag2a",
    "wcag2aa",
    "wcag2aaa",
    "wcag21a",
    "wcag21aa",
    "wcag21aaa",
    "wcag22aa",
    "wcag22aaa",
    "best-practice",
)
#: Rules that must have looked at the page, or at every part of it that they are for.
MUST_RUN = frozenset({"target-size", "color-contrast-enhanced"})

_RUN = """async (tags) => {
  // What is still fading in has a colour between two; what turns for ever stays as it is.
  for (const one of document.getAnimations()) try { one.finish(); } catch { continue; }
  const rules = Object.fromEntries(["target-size", "color-contrast-enhanced"].map((rule) => [rule, {enabled: true}]));
  const told = await axe.run(document, {runOnly: {type: "tag", values: tags}, rules,
    resultTypes: ["violations", "incomplete"]});  // of what passed only the rules' names are wanted
  const why = (node) => [...node.any, ...node.all, ...node.none].map((one) => one.message).join("; ");
  const where = (node) => node.target.join(" ") + " (" + why(node) + ")";
  const brief = (list) => list.map((rule) =>
    rule.id + ": " + rule.help + " | " + rule.nodes.slice(0, 5).map(where).join(" | "));
  return {
    violations: brief(told.violations), incomplete: brief(told.incomplete),
    ran: [...told.passes, ...told.violations, ...told.incomplete, ...told.inapplicable].map((rule) => rule.id),
  };
}"""


@cache
def _source() -> str:
    return SOURCE.read_text(encoding="utf-8")


def judge(page: Page) -> list[str]:
    """What axe finds wrong with the page as it stands, or cannot decide: empty where all is well.

    An undecided rule counts as a fault: the page must be so plain that a machine can tell (no text over a picture).
    """
    if not page.evaluate("'axe' in window"):
        page.evaluate(_source())
    told: dict[str, Any] = page.evaluate(_RUN, list(TAGS))
    missing = MUST_RUN - set(told["ran"])
    return [
        *(f"violation {one}" for one in told["violations"]),
        *(f"undecided {one}" for one in told["incomplete"]),
        *(f"did not run: {one}" for one in sorted(missing)),
    ]
