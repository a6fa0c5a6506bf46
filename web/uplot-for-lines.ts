import type { Plugin } from "vite";

type Cut = readonly [found: string | RegExp, put: string];

const never = (found: string | RegExp): Cut => [found, "false"];
const always = (found: string | RegExp): Cut => [found, "true"];
const without = (found: string | RegExp): Cut => [found, ""];

/**
 * What uPlot asks itself and what has one answer for every plot of `src/chart/line-plot.ts`: a line and the area below it, over one x
 * axis of numbers from left to right, without gaps, legend, selection or zoom; and what is of no use after those answers.
 */
const CUTS: readonly Cut[] = [
  // What is on the library for its callers: bars, steps, splines, dates, joins.
  without(/^uPlot\.assign = [\s\S]*(?=export \{)/m),
  // Aligned series, x from left to right, linear scales that depend on no other, and no bands between two series.
  ["const mode = self.mode;", "const mode = 1;"],
  ["const mode = u.mode;", "const mode = 1;"],
  always(/\b(?:scaleX|sx)\.ori == 0/g),
  never(/\b(?:sc\.|wsc\.|scale\.)?distr +(?:==|>=) +\d+/g),
  never(/\bxScaleDistr == \d/g),
  never(/\b(?:scaleOpts|w?sc)\.from != null/g),
  ["flags != 0 && ", "false && "],
  [/if \(bandClip\)/g, "if (false)"],
  [/\bbandFillClipDirs\(u, seriesIdx\)/g, "[0, 0]"],
  never(/\bband(?:Fill|Clip)Dir != 0/g),
  // Fewer values than pixels, all of them there: nothing to thin out, and no gap to clip.
  [/const decimate = .*/, "const decimate = false;"],
  never(/!series\.spanGaps/g),
  ["const pointsPath = points() ;", "const pointsPath = null;"],
  without("show: seriesPointsShow,"),
  never("show || idxs"),
  without(/\b(?:rect|arc|bezierCurveTo)[HV],/g),
  // Numbers, no times; our own range of each scale.
  ["genTimeStuffs(1)", "[]"],
  ["genTimeStuffs(1e-3)", "[]"],
  without(/^\tconst _tzDate [\s\S]*?_timeSeriesVal .*$/m),
  without(/^\t*let sv = s\.value;\n.*\n.*s\.label = .*$/m),
  never(/scaleKey != xScaleKey \|\| \(.*?\)(?=\) \{)/),
  [/sc\.range = fnOrSelf\(rn \|\| [\s\S]*?\n\t*\)\);/, "sc.range = fnOrSelf(rn);"],
  never("_min == _max"),
  // Axes below and at the left, with our own labels at our own places, and no title or tick.
  without(/axis\.incrs {2}= .*/),
  never("isArr(axis.incrs)"),
  [/axis\.splits \|\| .*/, "axis.splits);"],
  [/axis\.values = \([\s\S]*?\n\t*\);/, "axis.values = av;"],
  [/getIncrSpace\(i, .*/, "axis._found = [1, 1];"],
  never(/\baxis\.label != null/g),
  never(/\b(?:ticks|border)\.show/g),
  [/let angle = .*/, "const angle = 0;"],
  [/const font {6}= .*/, 'const font = "12px sans-serif";'],
  // A cursor that only follows the pointer: no legend, selection, focus, lock, or other plot that follows along.
  ["assign({}, legendOpts, opts.legend)", "{}"],
  without(/^\t\{\n\t\tlegend\.idxs = [\s\S]*?\n\t\}$/m),
  never(/\b(?:showLegend|multiValLegend|legend\.live|select\.show|cursorFocus|cursorOnePt|dragging)\b(?! =|:)/g),
  without(/^\ton\("click", wrap, [\s\S]*?^\t\}, true\);$/m),
  without(/^\t\tonMouse\((?:mousedown|dblclick),.*$/gm),
  never("cursor.dataIdx == null"),
  ["cursor.dataIdx(self, i, idx, valAtPosX)", "idx"],
  [/if \(src == null\) \{\n(?=\t*if \(_pub\))/, "if (false) {\n"],
  [/if \(e != null\) \{\n(?=\t*_l = )/, "if (true) {\n"],
  without(/^\tconst seriesIdxMatcher = [\s\S]*?_sync\(syncKey\);$/m),
  without(/\bsync\.(?:un)?sub\(self\);/g),
  // Nobody calls these on a plot, and of its hooks we have one.
  without(
    /^\tself\.(?:(?:set|add|del)(?:Band|Series|Scale|Select|Legend|Cursor)|batch|pub|valToIdx|valToPos|pos\w+) = [\s\S]*?;\n(?=\n|\tself)/gm,
  ),
  without(/^\tObject\.defineProperty\(self, 'rect', [\s\S]*?^\t\}\);$/m),
  [/\bfire\("(?!setCursor).*?\);/g, "0;"],
];

/**
 * Nearly all of uPlot is one function, so no bundler finds what our lines never need: more than half of it. Here its questions are
 * answered when the dashboard is built, and the minifier leaves out what cannot be reached then. A question that is not found, as in
 * another version of uPlot, fails the build; `test/dashboard/browser/charts.test.ts` compares the pictures with those of the whole.
 */
export function uplotForLines(): Plugin {
  return {
    name: "uplot-for-lines",
    transform: {
      filter: { id: /\/uPlot\.esm\.js$/ },
      handler: forLines,
    },
  };
}

/** uPlot's source with its questions answered; throws where it is not the source we know. */
export function forLines(source: string): string {
  return CUTS.reduce(cut, source);
}

function cut(source: string, [found, put]: Cut): string {
  const rest = source.replace(found, put);
  if (rest === source) throw new Error(`uPlot's source has no ${found}: see web/uplot-for-lines.ts`);
  return rest;
}
