import { type Amf0Value, textProperty } from "../../amf0/value.ts";
import { type EnhancedPeer, PLAIN_PEER, readEnhancedPeer } from "../client/enhanced-connect.ts";
import { encoderName } from "../encoder-name.ts";
import { type LoginAttempt, readLogin } from "./server-login.ts";

const APP_LENGTH_MAX = 512;

/** What an encoder or a player says about itself in `connect`. */
export type Introduction = {
  /** Without a login. May hold the key: secret. */
  readonly app: string;
  /** Printable, short, may be empty. */
  readonly encoder: string;
  readonly peer: EnhancedPeer;
  readonly attempt?: LoginAttempt;
};

export const NO_INTRODUCTION: Introduction = { app: "", encoder: "", peer: PLAIN_PEER };

/** Undefined where the application's name is too long. */
export function readIntroduction(properties: Amf0Value): Introduction | undefined {
  const app = textProperty(properties, "app") ?? "";
  if (app.length > APP_LENGTH_MAX) return undefined;
  const encoder = encoderName(textProperty(properties, "flashVer") ?? "");
  return { ...readLogin(app, textProperty(properties, "tcUrl") ?? ""), encoder, peer: readEnhancedPeer(properties) };
}
