/** Bytes of an AES key. */
type KeyLength = 16 | 24 | 32;

/** Where an SRT target is, and how to call it. */
export type SrtAddress = {
  /** As written, in lower case; an IPv6 address keeps its brackets. */
  readonly host: string;
  readonly port: number;
  readonly passphrase: string | undefined;
  readonly keyLength: KeyLength;
  /** The least latency that we ask for, in milliseconds. */
  readonly latencyMs: number;
};

const LATENCY_MS_DEFAULT = 300;
const LATENCY_MS_MAX = 8_000;
const FORM = /^srt:\/\/(\[[^\]/?#]*\]|[^:/?#[\]]+):(\d{1,5})\/?(?:\?([^#]*))?$/i;
const KEY_LENGTHS: Readonly<Record<string, KeyLength>> = { 16: 16, 24: 24, 32: 32 };

/**
 * Reads `srt://host:port?passphrase=…&pbkeylen=16|24|32&latency=MILLISECONDS`. Returns in a sentence why a text is no
 * such address. The stream ID is not part of it: it is the target's key.
 */
export function parseSrtUrl(url: string): SrtAddress | string {
  const [, host, portText, query = ""] = FORM.exec(url) ?? [];
  if (host === undefined) return "an address such as srt://host:port";
  const port = Number(portText);
  if (port < 1 || port > 65_535) return "a port from 1 to 65535";
  let [passphrase, keyLength, latencyMs]: [string | undefined, KeyLength, number] = [undefined, 16, LATENCY_MS_DEFAULT];
  for (const [name, value] of srtOptions(query)) {
    switch (name) {
      case "passphrase":
        if (value.length < 10 || value.length > 79) return "a passphrase of 10 to 79 characters";
        passphrase = value;
        break;
      case "pbkeylen": {
        const length = KEY_LENGTHS[value];
        if (length === undefined) return "a pbkeylen of 16, 24 or 32";
        keyLength = length;
        break;
      }
      case "latency":
        if (!/^\d{2,4}$/.test(value) || Number(value) < 20 || Number(value) > LATENCY_MS_MAX)
          return "a latency in milliseconds, from 20 to 8000";
        latencyMs = Number(value);
        break;
      case "mode":
        if (value !== "caller") return "the mode caller: the platform has to wait for us";
        break;
      case "streamid":
        return "an address without streamid; enter the stream ID as the stream key";
      default:
        return "an address with no options but passphrase, pbkeylen, latency and mode";
    }
  }
  return { host: host.toLowerCase(), port, passphrase, keyLength, latencyMs };
}

/** The options of an address. A plus is a plus, not a blank as in forms of the web: passphrases have them. */
export const srtOptions = (query: string): URLSearchParams => new URLSearchParams(query.replaceAll("+", "%2B"));

/** Whether a text means SRT. */
export const isSrtUrl = (url: string): boolean => /^srt:\/\//i.test(url);
