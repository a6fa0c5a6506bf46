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

/** The same for a list with pages: all pages, one after another. */
export async function allPages<Item>(
  page: (query: { readonly pageNo: number; readonly pageSizeNo: number }) => Promise<Result>,
): Promise<readonly Item[]> {
  const items: Item[] = [];
  for (let pageNo = 1; ; pageNo += 1) {
    const { data } = await answered(page({ pageNo, pageSizeNo: PAGE_SIZE }));
    const { content, total } = data as { readonly content: readonly Item[]; readonly total: number };
    items.push(...content);
    if (content.length === 0 || items.length >= total) return items;
  }
}

const PAGE_SIZE = 100;

async function answered<Given extends Result>(call: Promise<Given>): Promise<Given> {
  const result = await call.catch((error: unknown) => {
    throw new ApiFailure(EXIT.unreachable, unreachableText(error));
  });
  if (result.response.ok) return result;
  throw new ApiFailure(exitCodeOf(result.response.status), answerText(result));
}

/** `fetch failed` alone says nothing: its cause names the address and the kernel's word. */
export function unreachableText(error: unknown): string {
  const { message, cause } = error instanceof Error ? error : new Error(String(error));
  const detail = cause instanceof Error && cause.message !== "" ? `${message}: ${cause.message}` : message;
  return `the server did not answer: ${detail}`;
}

function exitCodeOf(status: number): number {
  if (status === 401 || status === 403) return EXIT.notAllowed;
  if (status === 404) return EXIT.notFound;
  return status >= 500 || status === 429 ? EXIT.unreachable : EXIT.refused;
}

function answerText({ error, response }: Result): string {
  const { error: body } = (error ?? {}) as {
    readonly error?: { readonly message?: string; readonly details?: string };
  };
  const texts = [body?.message, body?.details].filter((text) => text !== undefined && text !== "");
  return texts.length === 0 ? `the server answered ${response.status}` : texts.join(" ");
}
