"""Which words of a page are cut off, or lie over each other: for a shop whose own names are short, none may be."""

from __future__ import annotations

from playwright.sync_api import Page

_CUT = """() => {
  const found = new Set();
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const placed = [];
  while (texts.nextNode()) {
    const { parentElement: element, data } = texts.currentNode;
    const words = data.trim();
    if (words === "" || element.closest("svg, option, select")) continue;
    if (!element.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
    const range = document.createRange();
    range.selectNodeContents(texts.currentNode);
    const lines = [...range.getClientRects()].filter(({ width, height }) => width > 1 && height > 1);
    let layer = "";
    let unseen = false;
    for (let box = element; box; box = box.parentElement) {
      const style = getComputedStyle(box);
      if (["fixed", "sticky"].includes(style.position) || box.tagName === "DIALOG") layer += box.tagName + box.className;
      const { left, right, top, bottom, width, height } = box.getBoundingClientRect();
      if (width <= 1.5 || height <= 1.5) unseen = true;
      if (style.overflowX === "auto" || style.overflowY === "auto") layer += ">";
      if (layer.includes(">") || style.overflowX === "visible") continue;
      const cut = (line) => line.left < left - 1 || line.right > right + 1 || line.top < top - 3 || line.bottom > bottom + 3;
      if (!unseen && lines.some(cut)) found.add(`cut: ${words.slice(0, 60)}`);
    }
    if (!unseen) placed.push(...lines.map((line) => ({ line, element, layer, words })));
  }
  placed.forEach((one, at) => {
    for (const other of placed.slice(at + 1)) {
      if (one.layer !== other.layer || one.element === other.element) continue;
      const wide = Math.min(one.line.right, other.line.right) - Math.max(one.line.left, other.line.left);
      const high = Math.min(one.line.bottom, other.line.bottom) - Math.max(one.line.top, other.line.top);
      if (wide > 2 && high > 5) found.add(`over each other: ${one.words.slice(0, 40)} / ${other.words.slice(0, 40)}`);
    }
  });
  const { scrollWidth } = document.documentElement;
  if (scrollWidth > innerWidth) found.add(`wider than the screen: ${scrollWidth} px`);
  return [...found];
}"""


def cut_words(page: Page) -> list[str]:
    """What is cut off where nothing can be scrolled, by words that end in three dots too; and what lies over other words;
    and how wide the page is where that is more than the screen."""
    return list(page.evaluate(_CUT))
