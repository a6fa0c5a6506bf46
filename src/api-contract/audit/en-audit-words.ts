import type { AuditAction, AuditActorKind, AuditClient } from "./audit-actions.ts";

/** The words of the audit in one language. */
export type AuditWords = {
  readonly actions: Readonly<Record<AuditAction, string>>;
  readonly actors: Readonly<Record<AuditActorKind, string>>;
  readonly clients: Readonly<Record<AuditClient, string>>;
  /** The headings of the table. */
  readonly heads: {
    readonly time: string;
    readonly action: string;
    readonly subject: string;
    readonly changes: string;
    readonly actor: string;
    readonly from: string;
  };
};

export const enAuditWords: AuditWords = {
  actions: {
    createChannel: "Channel created",
    updateChannel: "Channel settings changed",
    deleteChannel: "Channel deleted",
    switchChannelOn: "Channel enabled",
    switchChannelOff: "Channel disabled",
    endChannel: "Broadcast ended",
    extendHold: "Hold extended",
    endHold: "Hold ended",
    renewStreamKey: "Stream key replaced",
    startTestPattern: "Test pattern started",
    stopTestPattern: "Test pattern stopped",
    setChannelCallback: "Channel webhook changed",
    testChannelCallback: "Channel webhook tested",
    addPlatform: "Platform added",
    editPlatform: "Platform changed",
    removePlatform: "Platform removed",
    onPlatform: "Platform turned on",
    offPlatform: "Platform turned off",
    retryPlatform: "Platform retried",
    cutPlatformDelay: "Delay cut",
    testPlatform: "Platform tested",
    setSource: "Source changed",
    clearSource: "Source removed",
    startSource: "Source started",
    stopSource: "Source stopped",
    setSlate: "Slate changed",
    clearSlate: "Slate removed",
    createSchedule: "Schedule created",
    updateSchedule: "Schedule changed",
    deleteSchedule: "Schedule deleted",
    closeCurtain: "Slate switched on",
    openCurtain: "Slate switched off",
    deleteRecording: "Recording deleted",
    createMediaFile: "File uploaded",
    deleteMediaFile: "File deleted",
    setDefaultCallback: "Default webhook changed",
    testDefaultCallback: "Default webhook tested",
    resendDelivery: "Webhook sent again",
    createContact: "Contact added",
    updateContact: "Contact changed",
    deleteContact: "Contact removed",
    testContact: "Contact tested",
    createAccessKey: "Access key created",
    deleteAccessKey: "Access key deleted",
    drainNode: "Server drained",
    moveNodeChannels: "Broadcasts moved to other servers",
    setUpDashboard: "Dashboard password set with the set-up link",
    signIn: "Signed in to the dashboard",
    signOut: "Signed out of the dashboard",
    changePassword: "Dashboard password changed",
    resetPassword: "Dashboard password reset",
    storeManagerKey: "Manager's access key set at the start",
  },
  actors: {
    "access-key": "access key",
    session: "dashboard",
    "set-up": "set-up link",
    server: "server start",
    command: "command on the server",
  },
  clients: { api: "API", cli: "command line", dashboard: "dashboard", server: "server" },
  heads: { time: "Time", action: "Change", subject: "What", changes: "Before and after", actor: "Who", from: "From" },
};
