import { type Amf0Value, numberProperty, property, textProperty } from "../../amf0/value.ts";
import type { Command } from "../command.ts";

/** Codes that OBS treats as errors whatever their level. */
const ERROR_CODES: ReadonlySet<string> = new Set([
  "NetStream.Failed",
  "NetStream.Publish.BadName",
  "NetStream.Publish.Denied",
  "NetStream.Publish.Rejected",
  "NetStream.Publish.Unauthorized",
  "NetConnection.Connect.InvalidApp",
  "NetConnection.Connect.Rejected",
  "NetConnection.Connect.Failed",
]);

/** Codes that end a publication although some servers send them with level "status". */
const ENDING_CODES: ReadonlySet<string> = new Set(["NetStream.Unpublish.Success", "NetConnection.Connect.Closed"]);

const PUBLISH_PREFIX = "NetStream.Publish.";
/**
 * Codes that a publisher may get beside a refusal. Servers invent codes of their own for refusals, and for nothing
 * else.
 */
const PUBLISH_NEWS: ReadonlySet<string> = new Set(["NetStream.Publish.Start", "NetStream.Publish.Idle"]);

/**
 * Servers keep their texts under 300 characters. This is one more than its readers accept, so that a cut text does not
 * count as a whole one.
 */
const TEXT_LENGTH_MAX = 1_025;
const CODE_LENGTH_MAX = 64;
/** A shorter key is too likely to be a part of a code by chance. */
const KEY_LENGTH_MIN = 4;
const REDIRECT_CODE = 302;

/** A server's statement about a request or about the stream, in `onStatus`, `_error` and similar commands. */
export class ServerStatus {
  readonly #infos: readonly Amf0Value[];
  /** As received: for comparisons only, never to be shown. */
  readonly code: string;

  constructor(command: Command) {
    // The specification puts the information object first among the arguments; some servers put it in the command
    // object.
    this.#infos = [...command.args, command.object];
    this.code = this.text("code");
  }

  text(name: string): string {
    for (const info of this.#infos) {
      const text = textProperty(info, name);
      if (text !== undefined) return text.slice(0, TEXT_LENGTH_MAX);
    }
    return "";
  }

  get isError(): boolean {
    return this.text("level").trim().toLowerCase() === "error" || ERROR_CODES.has(this.code);
  }

  /** Whether it ends a running publication. */
  get isEnd(): boolean {
    return this.isError || ENDING_CODES.has(this.code);
  }

  /**
   * Whether it refuses a publication that did not start yet: any code about publishing does, except those known as mere
   * news.
   */
  get refusesPublish(): boolean {
    return this.isError || (this.code.startsWith(PUBLISH_PREFIX) && !PUBLISH_NEWS.has(this.code));
  }

  /** Another encoder publishes with this key already. */
  get saysInUse(): boolean {
    return /already (publish|in use|exist)|in use|busy/i.test(this.text("description"));
  }

  /** The server is full. */
  get saysFull(): boolean {
    return /\bfull\b|\btoo many\b|\blimit\b|\bmaximum\b|\bcapacity\b/i.test(this.text("description"));
  }

  get saysForbidden(): boolean {
    return this.#exNumber === 403 || /\bcode=403\b/.test(this.text("description"));
  }

  /** The address it redirects us to. Servers of Adobe's family and SRS name one when they refuse `connect`. */
  get redirect(): string | undefined {
    const isRedirect = this.#exNumber === REDIRECT_CODE || /\bcode=302\b/.test(this.text("description"));
    const url = this.#ex.map((ex) => textProperty(ex, "redirect")).find((text) => text !== undefined);
    return isRedirect && url !== undefined && url !== "" ? url : undefined;
  }

  /**
   * The code for people and logs: only if it looks like one, and without characters that a code does not have. A server
   * may echo our key in any text.
   */
  shownCode(key: string): string {
    const { code } = this;
    if (!code.startsWith("NetStream.") && !code.startsWith("NetConnection.")) return "";
    const secret = key.split("?", 1)[0] ?? "";
    if (secret.length >= KEY_LENGTH_MIN && code.includes(secret)) return "";
    return code.slice(0, CODE_LENGTH_MAX).replace(/[^A-Za-z0-9._-]/g, "?");
  }

  get #ex(): readonly Amf0Value[] {
    return this.#infos.map((info) => property(info, "ex")).filter((ex) => ex !== undefined);
  }

  get #exNumber(): number | undefined {
    for (const ex of this.#ex) {
      const code = numberProperty(ex, "code") ?? Number(textProperty(ex, "code") ?? Number.NaN);
      if (!Number.isNaN(code)) return code;
    }
    return undefined;
  }
}
