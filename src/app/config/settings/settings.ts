import type { z } from "zod";
import { API_SETTINGS } from "./api-settings.ts";
import { CLUSTER_SETTINGS } from "./cluster-settings.ts";
import { DATA_SETTINGS } from "./data-settings.ts";
import { LISTENER_SETTINGS } from "./listener-settings.ts";
import { MEDIA_SETTINGS } from "./media-settings.ts";
import { RECORDING_SETTINGS } from "./recording-settings.ts";

/** Every setting, in the order of `--help`. */
export const SETTINGS = {
  ...DATA_SETTINGS,
  ...CLUSTER_SETTINGS,
  ...LISTENER_SETTINGS,
  ...MEDIA_SETTINGS,
  ...RECORDING_SETTINGS,
  ...API_SETTINGS,
} as const;

type SettingName = keyof typeof SETTINGS;

/** Settings whose value may be in a file that `…_FILE` names. */
export const FROM_FILES: readonly string[] = [
  "accessKey",
  "secretKey",
  "databaseUrl",
  "natsUrl",
  "srtPassphrase",
  "smtpUrl",
  "s3SecretKey",
  "otlpHeaders",
] satisfies readonly SettingName[];
/** Settings without a flag, because every user of the machine can read a command line. Errors never repeat them. */
export const SECRETS: readonly string[] = [
  "secretKey",
  "encryptionKey",
  "databaseUrl",
  "natsUrl",
  "srtPassphrase",
  "smtpUrl",
  "s3SecretKey",
  "otlpHeaders",
] satisfies readonly SettingName[];
type ValueOf<Name extends SettingName> = z.output<(typeof SETTINGS)[Name]["schema"]>;

/** Settings without a default: absent unless given. */
type Optional =
  | "encryptionKey"
  | "encryptionKeyFile"
  | "databaseUrl"
  | "recordingFolder"
  | "natsUrl"
  | "nodeAdvertise"
  | "capacityMbps"
  | "clusterSecretFile"
  | "s3Url"
  | "s3Bucket"
  | "s3AccessKey"
  | "s3SecretKey"
  | "httpHost"
  | "rtmpHost"
  | "srtPort"
  | "srtPassphrase"
  | "smtpUrl"
  | "otlpEndpoint"
  | "otlpHeaders"
  | "srtUrl"
  | "tlsCert"
  | "tlsKey"
  | "tlsExtraCa"
  | "publicHost"
  | "publishUrl"
  | "securePublishUrl"
  | "accessKey"
  | "secretKey"
  | "metricsListen";

/** The checked value of every setting. */
export type Config = { readonly [Name in Exclude<SettingName, Optional>]: ValueOf<Name> } & {
  readonly [Name in Optional]?: ValueOf<Name>;
};

/** The flag of a setting, without dashes: `httpPort` → `http-port`. */
export function flagOf(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** The server's flags, as `--http-port`. Secrets have none. */
export const serverFlags = (): readonly string[] =>
  Object.keys(SETTINGS).flatMap((name) => (SECRETS.includes(name) ? [] : [`--${flagOf(name)}`]));
