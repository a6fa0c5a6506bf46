import type { Page } from "playwright-core";

/** Runs in the page: the text of the first place that a selector names, as a range. */
const rangeOf = (selector: string): string => `
  const place = document.querySelector(${JSON.stringify(selector)});
  const range = document.createRange();
  range.selectNodeContents(place);`;

/** How many lines the text of a place takes. */
export const linesOf = (page: Page, selector: string): Promise<number> =>
  page.evaluate<number>(`(() => {${rangeOf(selector)}
    return new Set([...range.getClientRects()].map(({ top }) => Math.round(top))).size;
  })()`);

/** How far the text of a table's cell is from the cell's left edge, and the width of its label in its font, in pixels. */
export const indentOf = (page: Page, selector: string): Promise<{ readonly indent: number; readonly label: number }> =>
  page.evaluate(`(() => {${rangeOf(selector)}
    const pen = document.createElement("canvas").getContext("2d");
    pen.font = getComputedStyle(place).font;
    const indent = range.getBoundingClientRect().left - place.getBoundingClientRect().left;
    return { indent, label: pen.measureText(place.dataset.label).width };
  })()`);
