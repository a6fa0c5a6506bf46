import { printable } from "./table.ts";

/** How a command that calls a server ends, as in docs/cli.md. */
export const EXIT = {
  /** The server could not be reached, or has an error of its own. */
  unreachable: 1,
  /** The command line is wrong. */
  usage: 2,
  /** The server does not know these credentials, or they may not do this. */
  notAllowed: 3,
  /** There is no such channel, platform, key or delivery. */
  notFound: 4,
  /** The server refuses the change: a value is not allowed, or it is not possible now. */
  refused: 5,
  /** `status`: a channel is broken. `apply`: something is on air and `--on-air` is not given. */
  attention: 6,
} as const;

/** A command that calls a server fails: the text for people, and the code for programs. */
export class ApiFailure extends Error {
  override readonly name = "ApiFailure";
  readonly exitCode: number;

  constructor(exitCode: number, message: string) {
    super(message);
    this.exitCode = exitCode;
  }
}

type Result = { readonly data?: unknown; readonly error?: unknown; readonly response: Response };
type ContentOf<Given extends Result> = Given["data"] extends { readonly content: infer Content } | undefined
  ? Content
  : unknown;

/** Waits for a call and returns its answer's `content`. Throws ApiFailure with the server's own sentence. */
export async function contentOf<Given extends Result>(call: Promise<Given>): Promise<ContentOf<Given>> {
  const result = await answered(call);
  const { data } = result as { readonly data?: { readonly content?: unknown } };
  return data?.content as ContentOf<Given>;
}

/** The same; undefined where it is gone: what a list had may be deleted before it is asked for. */
export async function contentUnlessGone<Given extends Result>(
  call: Promise<Given>,
): Promise<ContentOf<Given> | undefined> {
  return contentOf(call).catch((error: unknown) => {
    if (error instanceof ApiFailure && error.exitCode === EXIT.notFound) return undefined;
    throw error;
  });
}

type PageCall = (query: { readonly pageNo: number; readonly pageSizeNo: number }) => Promise<Result>;

/**
 * The same for a list with pages, newest first: every item that is there all the time, once. One that comes between two
 * pages moves others to the next page, where they are read again; one that goes moves others to the former page, where
 * nobody reads them: then all is read again. `keyOf`: what distinguishes an item. Throws ApiFailure where items go each
 * time.
 */
export async function allPages<Item>(page: PageCall, keyOf: (item: Item) => string): Promise<readonly Item[]> {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
    const items = await completePages(page, keyOf);
    if (items !== undefined) return items;
  }
  throw new ApiFailure(EXIT.unreachable, "the list changed each time it was read; try again.");
}

const PAGE_SIZE = 100;
const ATTEMPTS_MAX = 10;

/** Undefined where an item went between two pages: one that was there when the first was read is missing. */
async function completePages<Item>(
  page: PageCall,
  keyOf: (item: Item) => string,
): Promise<readonly Item[] | undefined> {
  const items = new Map<string, Item>();
  let first = 0;
  for (let pageNo = 1; ; pageNo += 1) {
    const { data } = await answered(page({ pageNo, pageSizeNo: PAGE_SIZE }));
    const { content, total } = data as { readonly content: readonly Item[]; readonly total: number };
    if (!Array.isArray(content) || typeof total !== "number") throw otherServer();
    for (const item of content) items.set(keyOf(item), item);
    if (pageNo === 1) first = total;
    if (pageNo * PAGE_SIZE >= total) return items.size >= first ? [...items.values()] : undefined;
  }
}

async function answered<Given extends Result>(call: Promise<Given>): Promise<Given> {
  const result = await call.catch((error: unknown) => {
    // What is not JSON is a web page as a rule: of another server, or of a proxy.
    throw error instanceof SyntaxError ? otherServer() : new ApiFailure(EXIT.unreachable, unreachableText(error));
  });
  const { response, data } = result;
  if (isRedirect(response)) throw redirected(response);
  if (!response.ok) throw new ApiFailure(exitCodeOf(result), answerText(result));
  // Another server may say 200 to everything: nothing that it says is done.
  if (typeof data !== "object" || data === null || !("content" in data)) throw otherServer();
  return result;
}

/** Something answered that is no Fanfare server. */
export function otherServer(): ApiFailure {
  return new ApiFailure(
    EXIT.unreachable,
    "what answers at this address is not Fanfare: look at the address, its path and its port.",
  );
}

/** Whether the answer, of a proxy in front of the server as a rule, names another address. */
function isRedirect({ status }: Response): boolean {
  return status >= 300 && status < 400;
}

/** What to do about it. */
function redirected({ status, headers }: Response): ApiFailure {
  const location = printable(headers.get("location") ?? "");
  const where = location === "" ? "elsewhere" : `to ${location}`;
  return new ApiFailure(
    EXIT.unreachable,
    `the server answered ${status} and leads ${where}: nothing was changed. Sign in at that address (fanfare login URL).`,
  );
}

/** `fetch failed` alone says nothing: its cause names the address and the kernel's word. */
export function unreachableText(error: unknown): string {
  const { message, cause } = error instanceof Error ? error : new Error(String(error));
  const detail = cause instanceof Error && cause.message !== "" ? `${message}: ${cause.message}` : message;
  return `the server did not answer: ${detail}`;
}

/** What a server says of a failure. Nothing about it is certain: it may be another server. */
type ErrorBody = { readonly errorCode?: unknown; readonly message?: unknown; readonly details?: unknown };

function errorOf({ error }: Result): ErrorBody {
  const body: unknown = typeof error === "object" && error !== null && "error" in error ? error.error : undefined;
  return typeof body === "object" && body !== null ? body : {};
}

const NOT_FOUND = 250_004;

function exitCodeOf(result: Result): number {
  const { status } = result.response;
  if (status === 401 || status === 403) return EXIT.notAllowed;
  // A proxy whose server starts again says 404 of everything, and an older server of a call that it does not have.
  if (status === 404) return errorOf(result).errorCode === NOT_FOUND ? EXIT.notFound : EXIT.unreachable;
  return status >= 500 || status === 429 ? EXIT.unreachable : EXIT.refused;
}

/** A longer sentence is none of Fanfare's, in characters. */
const SENTENCE_MAX = 1_000;

/** What a server or a proxy answered, as one line for a terminal. */
export function answeredText(text: string): string {
  return printable(text.slice(0, SENTENCE_MAX)).trim();
}

function answerText(result: Result): string {
  const { message, details } = errorOf(result);
  const texts = [message, details].filter((text) => typeof text === "string" && text !== "");
  return texts.length === 0 ? `the server answered ${result.response.status}` : answeredText(texts.join(" "));
}
