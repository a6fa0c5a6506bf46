/** The servers of one NATS cluster, and the login for them. Holds secrets: never log it. */
export type NatsAddress = {
  /** `host:port` of each. */
  readonly servers: readonly string[];
  readonly user?: string;
  readonly password?: string;
  readonly isTls: boolean;
};

/** NATS cannot be used. The text says which setting is wrong, or which server refuses, and what to do. */
export class NatsError extends Error {
  override readonly name = "NatsError";
}

const SERVERS_MAX = 16;
const DEFAULT_PORT = "4222";

/**
 * Reads `nats://user:password@host:4222`, or several with commas between them; `tls://` connects with TLS. All have the same
 * login. Throws NatsError, without the login in its text.
 */
export function readNatsAddress(text: string): NatsAddress {
  const urls = text.split(",").map((each) => readUrl(each.trim()));
  if (urls.length > SERVERS_MAX) throw new NatsError(`names ${urls.length} servers: at most ${SERVERS_MAX}.`);
  const [first] = urls;
  if (first === undefined) throw new NatsError("names no server.");
  const isSame = ({ protocol, username, password }: URL) =>
    protocol === first.protocol && username === first.username && password === first.password;
  if (!urls.every(isSame))
    throw new NatsError("names servers with different logins or schemes: they must be the same.");
  return {
    servers: urls.map(({ hostname, port }) => `${hostname}:${port === "" ? DEFAULT_PORT : port}`),
    ...(first.username === "" ? {} : { user: decodeURIComponent(first.username) }),
    ...(first.password === "" ? {} : { password: decodeURIComponent(first.password) }),
    isTls: first.protocol === "tls:",
  };
}

function readUrl(text: string): URL {
  const url = URL.parse(text);
  const isRight =
    url !== null &&
    (url.protocol === "nats:" || url.protocol === "tls:") &&
    url.hostname !== "" &&
    url.pathname.length <= 1 &&
    url.search === "" &&
    url.hash === "";
  if (!isRight) throw new NatsError("is not like nats://host:4222 (or tls://, several with commas between them).");
  return url;
}

/** The same in the words of the NATS library. */
export function natsLogin({ servers, user, password, isTls }: NatsAddress) {
  return {
    servers: [...servers],
    ...(user === undefined ? {} : password === undefined ? { token: user } : { user, pass: password }),
    ...(isTls ? { tls: {} } : {}),
  };
}
