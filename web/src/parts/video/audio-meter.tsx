import { useEffect, useRef } from "preact/hooks";
import { panelTexts } from "../../text/text.ts";
import type { AudioGraph } from "./audio-graph.ts";
import { LEVEL_MAX, LEVEL_MIN, Levels } from "./levels.ts";

/** How often the audio is measured, and how often what a screen reader reads is renewed, in milliseconds. */
const LOOK_MS = 50;
const READ_MS = 1_000;
/** Of the drawing, in CSS pixels. */
const HEIGHT = 26;
const BAR_HEIGHT = 10;
/** From each level on, in dBFS, the bar has this colour: on black, in both themes. */
const ZONES = [
  [-60, "#35b36f"],
  [-18, "#e0a526"],
  [-6, "#e8604f"],
] as const;
const MARKS = [-60, -40, -20, -10, 0];

/** The level of the preview's audio, with the peak of the last moment. People who want less motion see it once a second. */
export function AudioMeter({ graph }: { readonly graph: AudioGraph }) {
  const meter = useRef<HTMLMeterElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const levels = new Levels();
    const stillMotion = matchMedia("(prefers-reduced-motion: reduce)");
    let readMs = Number.NEGATIVE_INFINITY;
    const timer = setInterval(() => {
      if (document.hidden || meter.current === null || canvas.current === null) return;
      const nowMs = performance.now();
      levels.take(graph.level(), nowMs);
      const isReadDue = nowMs - readMs >= READ_MS;
      if (isReadDue || !stillMotion.matches) draw(canvas.current, levels);
      if (!isReadDue) return;
      readMs = nowMs;
      const peak = Math.round(levels.peak);
      meter.current.value = peak;
      meter.current.setAttribute("aria-valuetext", peak <= LEVEL_MIN ? panelTexts().video.silent : `${peak} dBFS`);
    }, LOOK_MS);
    return () => clearInterval(timer);
  }, [graph]);
  return (
    <>
      <meter
        ref={meter}
        class="visually-hidden"
        aria-label={panelTexts().video.level}
        min={LEVEL_MIN}
        max={LEVEL_MAX}
      />
      <canvas ref={canvas} style={{ width: "100%", height: `${HEIGHT}px` }} />
    </>
  );
}

function draw(canvas: HTMLCanvasElement, { level, peak }: Levels): void {
  const context = canvas.getContext("2d");
  if (context === null) return;
  const scale = devicePixelRatio;
  const width = canvas.clientWidth;
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(HEIGHT * scale);
  context.scale(scale, scale);
  const x = (dbfs: number): number => ((dbfs - LEVEL_MIN) / (LEVEL_MAX - LEVEL_MIN)) * width;
  context.fillStyle = "#000";
  context.fillRect(0, 0, width, BAR_HEIGHT);
  ZONES.forEach(([from, colour], index) => {
    const end = Math.min(level, ZONES[index + 1]?.[0] ?? LEVEL_MAX);
    context.fillStyle = colour;
    if (end > from) context.fillRect(x(from), 0, x(end) - x(from), BAR_HEIGHT);
  });
  context.fillStyle = "#fff";
  if (peak > LEVEL_MIN) context.fillRect(Math.min(x(peak), width - 2), 0, 2, BAR_HEIGHT);
  const { color, fontFamily } = getComputedStyle(canvas);
  context.fillStyle = color;
  context.font = `11px ${fontFamily}`;
  for (const mark of MARKS) {
    context.textAlign = mark === LEVEL_MIN ? "left" : mark === LEVEL_MAX ? "right" : "center";
    context.fillText(mark === LEVEL_MAX ? "0 dBFS" : String(mark), x(mark), HEIGHT - 4);
  }
}
