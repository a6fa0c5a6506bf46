import type { Clock } from "../../base/clock.ts";
import type { CutReason } from "./connection-guard.ts";

/** One answered request; `route` is the pattern, not the URL. */
type RequestMeasure = {
  readonly method: string;
  readonly route: string;
  readonly status: number;
  readonly seconds: number;
};

/** Where a client logs in. */
export type LoginPlace = "api" | "dashboard";

/** The source of the numbers, which also takes those of HTTP. */
export interface MetricsSource {
  readonly contentType: string;
  text(): Promise<string>;
  request(measure: RequestMeasure): void;
  /** A client used a wrong key, or a wrong password of the dashboard. */
  failedLogin(where: LoginPlace): void;
  /** A connection was closed that its client wanted to keep. */
  connectionCut(reason: CutReason): void;
}

/** One page stays valid for this long, in milliseconds: anybody can ask for it. */
const PAGE_LASTS_MS = 1_000;

/** A text that is made anew each time. */
type PageSource = Pick<MetricsSource, "contentType" | "text">;

/** The bytes of `/metrics` or `/stat`, made once for all who ask at the same time. */
export class MetricsPage {
  readonly #source: PageSource;
  readonly #clock: Clock;
  #made: { readonly atMs: number; readonly bytes: Promise<Buffer> } | undefined;

  constructor(source: PageSource, clock: Clock) {
    this.#source = source;
    this.#clock = clock;
  }

  get contentType(): string {
    return this.#source.contentType;
  }

  bytes(): Promise<Buffer> {
    const atMs = this.#clock.now();
    if (this.#made === undefined || atMs - this.#made.atMs >= PAGE_LASTS_MS) {
      this.#made = { atMs, bytes: this.#source.text().then((text) => Buffer.from(text)) };
    }
    return this.#made.bytes;
  }
}
