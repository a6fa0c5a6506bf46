import { enAlerts } from "./alerts.ts";
import { enAudit } from "./audit.ts";
import { enBulk } from "./bulk.ts";
import { enContacts } from "./contacts.ts";
import { enDelay } from "./delay.ts";
import { enNodes } from "./nodes.ts";
import { enRecordings } from "./recordings.ts";
import { enSchedules } from "./schedules.ts";
import { enSignIn } from "./sign-in.ts";
import { enSources } from "./sources.ts";
import { enSrt } from "./srt.ts";
import { enVideo } from "./video.ts";
import { enWindows } from "./windows.ts";

/** The English texts of what is loaded after the first page: pages, panels and alerts. */
export const panelsEn = {
  alerts: enAlerts,
  audit: enAudit,
  bulk: enBulk,
  contacts: enContacts,
  delay: enDelay,
  nodes: enNodes,
  recordings: enRecordings,
  schedules: enSchedules,
  signIn: enSignIn,
  sources: enSources,
  srt: enSrt,
  video: enVideo,
  windows: enWindows,
};

/** What every language must have. */
export type PanelTexts = typeof panelsEn;
