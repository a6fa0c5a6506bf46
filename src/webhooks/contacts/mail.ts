import type { ContactResult } from "../../control/contacts/contact.ts";
import type { Digest } from "./digest.ts";

/** An attempt takes no longer than this, in milliseconds; each of its steps half of that. */
const ATTEMPT_MS_MAX = 20_000;
const STEP_MS_MAX = 10_000;

/** Sends a digest to these mailboxes once. Never rejects. Undefined where the signal cancelled it. */
export type SendMail = (
  to: readonly string[],
  digest: Digest,
  signal: AbortSignal,
) => Promise<ContactResult | undefined>;

export type MailServer = {
  /** `smtp://` or `smtps://`, with user and password where it wants them. Secret. */
  readonly url: string;
  /** The sender's address. */
  readonly from: string;
};

/**
 * Mail through the server that the operator set. A message of its own goes to all mailboxes of a contact. `attemptMs`: how long
 * one attempt may take, in milliseconds.
 */
export function createMailer({ url, from }: MailServer, attemptMs = ATTEMPT_MS_MAX): SendMail {
  // Now and not with the first mail: files on disk may be replaced while the server runs.
  const loading = import("nodemailer");
  return async (to, { title, lines }, closing) => {
    const { createTransport } = await loading;
    // What is in a message is others' text: it must not name files or addresses to attach.
    const transport = createTransport({
      // What the address says of TLS itself counts.
      ...{ requireTLS: hidesLogin(url), url, disableFileAccess: true, disableUrlAccess: true },
      ...{ connectionTimeout: STEP_MS_MAX, greetingTimeout: STEP_MS_MAX, socketTimeout: STEP_MS_MAX },
    });
    const signal = AbortSignal.any([closing, AbortSignal.timeout(attemptMs)]);
    // With the signal the connection ends too: a server that says a word now and then would keep it for ever, and a mail that
    // was told as late could still go out.
    const message = { from, to: [...to], subject: title, text: `${lines.join("\n")}\n`, signal };
    try {
      const { response } = await transport.sendMail(message);
      return { status: Number(/^\d{3}/.exec(response)?.[0] ?? 250) };
    } catch (error) {
      if (closing.aborted) return undefined;
      return signal.aborted ? { problem: "TIMEOUT" } : resultOf(error);
    } finally {
      transport.close();
    }
  };
}

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;
/** Settings of an address that say how TLS is used. */
const TLS_WORDS: readonly string[] = ["requireTLS", "ignoreTLS", "opportunisticTLS"];

/** Whether a login must not go without TLS: who is in between needs only hide that the server offers it. */
function hidesLogin(url: string): boolean {
  const parsed = URL.parse(url) ?? undefined;
  if (parsed === undefined) return url.startsWith("smtp:");
  const { protocol, username, password, hostname, searchParams } = parsed;
  const isAsked = TLS_WORDS.some((word) => searchParams.has(word));
  return protocol === "smtp:" && `${username}${password}` !== "" && !LOOPBACK.test(hostname) && !isAsked;
}

function resultOf(error: unknown): ContactResult {
  if (!(error instanceof Error)) return { problem: "CONNECTION_FAILED" };
  // Before the code of the answer: a server without TLS says that it does not know the command.
  if ("code" in error && error.code === "ETLS") return { problem: "TLS_FAILED" };
  if ("responseCode" in error && typeof error.responseCode === "number")
    return { problem: "MAIL_REJECTED", status: error.responseCode };
  const code = "code" in error ? error.code : undefined;
  if (code === "EDNS") return { problem: "DNS_FAILED" };
  if (code === "ETIMEDOUT") return { problem: "TIMEOUT" };
  // A login that the server does not know how to take, or a message without a mailbox that it accepts.
  if (code === "EAUTH" || code === "EENVELOPE" || code === "EMESSAGE") return { problem: "MAIL_REJECTED" };
  return { problem: /certificate|TLS|SSL/i.test(error.message) ? "TLS_FAILED" : "CONNECTION_FAILED" };
}
