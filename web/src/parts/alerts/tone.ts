import type { AlertSeverity } from "../../../../src/api-contract/alerts/alert-rules.ts";

/** The pitches of each tone, in hertz, one after another: falling for trouble, rising for good news. */
const PITCHES = {
  broken: [880, 660, 880, 660],
  attention: [740, 587],
  healthy: [587, 880],
} satisfies Record<AlertSeverity, readonly number[]>;

const NOTE_SECONDS = 0.16;
const FADE_SECONDS = 0.02;
const VOLUME = 0.2;

let context: AudioContext | undefined;

/** Browsers keep a page silent until a person presses something in it: called at such a press. */
export function unlockSound(): void {
  context ??= new AudioContext();
  if (context.state === "suspended") void context.resume();
}

/** Plays the tone for this severity. Returns false where the browser keeps the page silent. */
export function playTone(severity: AlertSeverity): boolean {
  context ??= new AudioContext();
  if (context.state !== "running") {
    void context.resume();
    return false;
  }
  const gain = context.createGain();
  gain.connect(context.destination);
  const oscillator = context.createOscillator();
  oscillator.connect(gain);
  const startTime = context.currentTime;
  const pitches = PITCHES[severity];
  for (const [index, pitch] of pitches.entries()) {
    const noteTime = startTime + index * NOTE_SECONDS;
    oscillator.frequency.setValueAtTime(pitch, noteTime);
    gain.gain.setValueAtTime(0, noteTime);
    gain.gain.linearRampToValueAtTime(VOLUME, noteTime + FADE_SECONDS);
    gain.gain.linearRampToValueAtTime(0, noteTime + NOTE_SECONDS);
  }
  oscillator.start(startTime);
  oscillator.stop(startTime + pitches.length * NOTE_SECONDS);
  return true;
}
