import { medianOf, type Series, scenarioName } from "./report.ts";

const WIDTH = 760;
const LABEL_WIDTH = 220;
const BAR_HEIGHT = 16;
const BAR_GAP = 4;
const GROUP_GAP = 18;
const TOP = 40;
const VALUE_WIDTH = 60;
const COLOURS = ["#2563eb", "#9ca3af", "#10b981", "#f59e0b", "#a855f7", "#ef4444"];

const escaped = (text: string) => text.replace(/[&<>]/g, (sign) => `&#${sign.charCodeAt(0)};`);

/** CPU seconds per GB as bars, a group for each scenario, as an SVG that needs nothing else. */
export function chartSvg(all: readonly Series[]): string {
  const relays = [...new Set(all.map(({ relay }) => relay))];
  const most = Math.max(...all.map((series) => medianOf(series, "cpuSecondsPerGb")));
  const scale = (WIDTH - LABEL_WIDTH - VALUE_WIDTH) / most;
  const parts: string[] = [];
  let y = TOP;
  let group = "";
  for (const series of all) {
    const name = scenarioName(series.scenario);
    if (name !== group) {
      if (group !== "") y += GROUP_GAP;
      group = name;
      parts.push(`<text x="8" y="${y + BAR_HEIGHT - 4}" font-weight="bold">${escaped(name)}</text>`);
    }
    const cost = medianOf(series, "cpuSecondsPerGb");
    const textY = y + BAR_HEIGHT - 4;
    const width = Math.max(1, cost * scale);
    parts.push(
      `<text x="${LABEL_WIDTH - 8}" y="${textY}" text-anchor="end">${escaped(series.relay)}</text>`,
      `<rect x="${LABEL_WIDTH}" y="${y}" width="${width.toFixed(1)}" height="${BAR_HEIGHT}" fill="${COLOURS[relays.indexOf(series.relay) % COLOURS.length]}"/>`,
      `<text x="${(LABEL_WIDTH + width + 6).toFixed(1)}" y="${textY}">${cost.toFixed(2)}</text>`,
    );
    y += BAR_HEIGHT + BAR_GAP;
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y + GROUP_GAP}" font-family="sans-serif" font-size="12">
<rect width="100%" height="100%" fill="#fff"/>
<text x="8" y="22" font-size="15">CPU seconds per GB relayed (less is better)</text>
${parts.join("\n")}
</svg>
`;
}
