/** The texts of a channel's beginning: its name, forms, the first steps, encoder settings and the test pattern. */
export const enStart = {
  /** What is wrong with a field, or not possible now. */
  problems: {
    missing: "Fill this in.",
    wrong: "This value isn't accepted.",
    wholeNumber: (min: string, max: string) => `Enter a whole number from ${min} to ${max}.`,
    tooShort: (characters: number) => `Enter at least ${characters} characters.`,
    tooLong: (characters: number) => `Enter at most ${characters} characters.`,
    channelName: {
      empty: "Give the channel a name.",
      "too-long": "Enter at most 80 characters.",
      "control-character": "Line breaks and control characters aren't allowed.",
    },
  },
  channelName: {
    label: "Channel name",
    rule: "Any text up to 80 characters.",
  },
  firstSteps: {
    title: "First steps",
    finished: "All first steps are done",
    dismiss: "Hide the first steps",
    done: "Done:",
    steps: {
      create: "Create a channel",
      platform: "Add a platform",
      test: "Test the platform, or send the test pattern",
      encoder: "Copy the server and the stream key into your encoder",
      stream: "Start streaming",
      green: "All platforms are green",
    },
  },
  recommended: {
    title: "Set your encoder to",
    settings: {
      videoCodec: "Video codec",
      height: "Resolution",
      frameRate: "Frame rate",
      videoBytesPerSecond: "Video bitrate",
      keyframeSeconds: "Keyframe interval",
      bFrames: "B-frames",
      audioCodec: "Audio codec",
      audioBytesPerSecond: "Audio bitrate",
      sampleRate: "Sample rate",
      audioChannels: "Audio channels",
    },
    limitOf: (names: string) => `limit of ${names}`,
    refuses: (codec: string, names: string) => `No ${codec} for ${names}.`,
    conflict: (setting: string, names: string) => `${setting}: no value suits ${names} at the same time.`,
  },
  testPattern: {
    name: "Test pattern",
    start: "Send test pattern",
    startText:
      "A built-in clip with a test picture and a soft tone is sent to your platforms, without your encoder. An encoder that connects takes over at once.",
    sendTo: "Send to",
    sentToNobody: "No platform is switched on: you only see it in the preview.",
    viewersWillSee:
      "Viewers of these platforms will see it. Set your streams there to private first if they shouldn't.",
    notChosen: "Not in this test",
    length: "Ends after",
    minutes: (number: number) => (number === 1 ? "1 minute" : `${number} minutes`),
    running: "The test pattern is on air",
    viewersSee: (names: string) => `Viewers of ${names} see it now.`,
    endsIn: (time: string) => `It ends by itself in ${time}, or when your encoder connects.`,
    stop: "Stop test pattern",
  },
};
