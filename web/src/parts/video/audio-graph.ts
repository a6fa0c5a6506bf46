import { LEVEL_MIN, peakDbfs } from "./levels.ts";

/** Of each analyser, in samples: longer than the time between two looks. */
const WINDOW_SAMPLES = 4_096;

/** A video element's audio on its way to the speaker: measured before the gain that mutes it. */
export type AudioGraph = {
  /** The louder channel's peak of the last moment, in dBFS. */
  readonly level: () => number;
  readonly setMuted: (isMuted: boolean) => void;
  readonly close: () => void;
};

/** Takes over an element's audio, muted. Browsers allow that only after a person did something on the page. */
export function newAudioGraph(video: HTMLVideoElement): AudioGraph {
  const context = new AudioContext();
  const source = context.createMediaElementSource(video);
  const gain = context.createGain();
  gain.gain.value = 0;
  source.connect(gain).connect(context.destination);
  const splitter = context.createChannelSplitter(2);
  source.connect(splitter);
  const analysers = [0, 1].map((channel) => {
    const analyser = context.createAnalyser();
    analyser.fftSize = WINDOW_SAMPLES;
    splitter.connect(analyser, channel);
    return analyser;
  });
  const samples = new Float32Array(WINDOW_SAMPLES);
  video.muted = false;
  return {
    level: () =>
      analysers.reduce((loudest, analyser) => {
        analyser.getFloatTimeDomainData(samples);
        return Math.max(loudest, peakDbfs(samples));
      }, LEVEL_MIN),
    setMuted: (isMuted) => {
      gain.gain.value = isMuted ? 0 : 1;
    },
    close: () => void context.close(),
  };
}
