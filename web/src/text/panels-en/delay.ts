export const enDelay = {
  seconds: "Delay in seconds",
  secondsHelp: "The platform gets the stream this much later, up to 15 minutes (900).",
  states: { FILLING: "Filling the delay", DELAYED: "Delayed", LIVE: "Delay cut", DRAINING: "Sending the rest" },
  help: (current: string, buffered: string) => `${current} behind the stream, ${buffered} waiting`,
  cut: "Cut the delay",
  cutSure: "What is waiting is discarded: this platform's viewers skip to what is live. This can't be undone.",
  cutDone: "Live again from the next keyframe.",
};
