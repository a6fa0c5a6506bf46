/**
 * What the audit keeps: a record for each of these actions. The calls of the API have their operation's name. A test
 * compares the list with the routes, so a new route is here, or among `NOT_AUDITED` with a reason.
 */
export const AUDIT_ACTIONS = [
  "createChannel",
  "updateChannel",
  "deleteChannel",
  "switchChannelOn",
  "switchChannelOff",
  "endChannel",
  "extendHold",
  "endHold",
  "renewStreamKey",
  "startTestPattern",
  "stopTestPattern",
  "setChannelCallback",
  "testChannelCallback",
  "addPlatform",
  "editPlatform",
  "removePlatform",
  "onPlatform",
  "offPlatform",
  "retryPlatform",
  "cutPlatformDelay",
  "testPlatform",
  "setSource",
  "clearSource",
  "startSource",
  "stopSource",
  "setSlate",
  "clearSlate",
  "createSchedule",
  "updateSchedule",
  "deleteSchedule",
  "closeCurtain",
  "openCurtain",
  "deleteRecording",
  // From here on without a channel.
  "createMediaFile",
  "deleteMediaFile",
  "setDefaultCallback",
  "testDefaultCallback",
  "resendDelivery",
  "createContact",
  "updateContact",
  "deleteContact",
  "testContact",
  "createAccessKey",
  "deleteAccessKey",
  "drainNode",
  "moveNodeChannels",
  // Not calls of the API: the dashboard's sign-in, and what the server and its commands do by themselves.
  "setUpDashboard",
  "signIn",
  "signOut",
  "changePassword",
  "resetPassword",
  "storeManagerKey",
] as const;
export type AuditAction = (typeof AUDIT_ACTIONS)[number];

/** Actions without a channel that no webhook hears of: about webhooks themselves, and the end of a session. */
export const WITHOUT_WEBHOOK: readonly AuditAction[] = [
  "setDefaultCallback",
  "testDefaultCallback",
  "resendDelivery",
  "signOut",
];

/** Requests that write and leave no record, and why. */
export const NOT_AUDITED = {
  createPreviewToken: "It reads: the address shows what the channel sends.",
  uploadMediaFile: "One piece of a file. `createMediaFile` begins it and has the record.",
  putPush: "A browser renews its own notifications at each visit.",
  deletePush: "A browser's own notifications.",
  testPush: "A browser's own notifications.",
} as const;

/** Requests of the dashboard that are no calls of the API, by method and path. */
export const DASHBOARD_ACTIONS: Readonly<Record<string, AuditAction | keyof typeof NOT_AUDITED>> = {
  "POST /dashboard/setup": "setUpDashboard",
  "POST /dashboard/session": "signIn",
  "DELETE /dashboard/session": "signOut",
  "PUT /dashboard/password": "changePassword",
  "PUT /dashboard/push": "putPush",
  "DELETE /dashboard/push": "deletePush",
  "POST /dashboard/push/test": "testPush",
};

/**
 * Who makes changes: an access key, a signed-in browser, the person with the set-up link, the server at its start, or a
 * command on the server's machine.
 */
export const AUDIT_ACTORS = ["access-key", "session", "set-up", "server", "command"] as const;
export type AuditActorKind = (typeof AUDIT_ACTORS)[number];

/** The program that a change came through. */
export const AUDIT_CLIENTS = ["api", "cli", "dashboard", "server"] as const;
export type AuditClient = (typeof AUDIT_CLIENTS)[number];

/** What stands in a record where a secret is or was. */
export const AUDIT_SECRET = "***";
