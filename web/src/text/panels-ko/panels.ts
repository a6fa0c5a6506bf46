import type { PanelTexts } from "../panels-en/panels.ts";
import { koAlerts } from "./alerts.ts";
import { koAudit } from "./audit.ts";
import { koBulk } from "./bulk.ts";
import { koContacts } from "./contacts.ts";
import { koDelay } from "./delay.ts";
import { koNodes } from "./nodes.ts";
import { koRecordings } from "./recordings.ts";
import { koSchedules } from "./schedules.ts";
import { koSignIn } from "./sign-in.ts";
import { koSources } from "./sources.ts";
import { koSrt } from "./srt.ts";
import { koVideo } from "./video.ts";
import { koWindows } from "./windows.ts";

/** The same in Korean. */
export const panelsKo: PanelTexts = {
  alerts: koAlerts,
  audit: koAudit,
  bulk: koBulk,
  contacts: koContacts,
  delay: koDelay,
  nodes: koNodes,
  recordings: koRecordings,
  schedules: koSchedules,
  signIn: koSignIn,
  sources: koSources,
  srt: koSrt,
  video: koVideo,
  windows: koWindows,
};
