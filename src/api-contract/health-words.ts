/** `health.state`: the verdict on a channel. */
export const HEALTH_STATES = ["healthy", "attention", "broken", "waiting", "off"] as const;

/** `health.nextStep.code`: what a person should do next. */
export const NEXT_STEPS = [
  "START_ENCODER",
  "WAIT_FOR_SOURCE",
  "CHECK_SOURCE",
  "CHECK_SOURCE_FILES",
  "CHECK_WATCHED_FOLDER",
  "TURN_CHANNEL_ON",
  "RESTART_ENCODER",
  "TURN_PLATFORM_ON",
  "CHECK_ADDRESS",
  "CHECK_KEY",
  "CHECK_LOGIN",
  "STOP_OTHER_PROGRAM",
  "CHECK_CERTIFICATE",
  "CHECK_CONNECTION",
  "WAIT",
  "CHANGE_ENCODER",
  "CHECK_BACKUP",
  "CHANGE_SLATE",
  "ASK_OPERATOR",
] as const;

export type HealthStateWord = (typeof HEALTH_STATES)[number];
export type NextStepWord = (typeof NEXT_STEPS)[number];
