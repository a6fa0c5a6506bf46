export const enNodes = {
  title: "Servers",
  help: "These servers share one database. You can manage every channel from any of them.",
  name: "Server",
  state: "State",
  states: { SERVING: "Running", DRAINING: "Draining", SILENT: "Not responding", LOST: "Gone" },
  channels: "Channels",
  egress: "Outgoing",
  version: "Version",
  self: "this one",
  drain: "Drain",
  drainSure: (name: string) =>
    `${name} takes no new channels. Its broadcasts go on until they end; those still on air when the time is up move to another server.`,
  move: "Move channels",
  moveSure: (name: string) =>
    `The broadcasts of ${name} continue on other servers. Encoders stay connected; platforms are reconnected.`,
  moveTo: "To",
  moveToAny: "the servers with the fewest channels",
  destination: (name: string, incarnation: number, channels: number) =>
    `${name} (#${incarnation}, channels: ${channels})`,
  moreStay: (number: number) => `Others that stay: ${number}.`,
  endsIn: (time: string) => `ends in ${time}`,
  ownerSilent: (seconds: number) =>
    `The server that carries this channel isn't responding. What you see is ${seconds} s old; the broadcast may go on.`,
  ownerLost:
    "The server that carried this channel is gone. The broadcast continues when the encoder reconnects to another server.",
};
