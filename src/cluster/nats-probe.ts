import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "@nats-io/transport-node";
import { type NatsAddress, natsLogin } from "./nats-address.ts";

/** The wait for the connection, and for the reply, in milliseconds. */
const TIMEOUT_MS = 2_000;

/**
 * Connects once, waits for one reply and leaves. Returns `host:port` of the server. Throws the library's error, or one of
 * its own where no reply comes.
 */
export async function probeNats(address: NatsAddress, name = "fanfare doctor"): Promise<string> {
  const connection = await connect({
    ...natsLogin(address),
    name,
    timeout: TIMEOUT_MS,
    reconnect: false,
    waitOnFirstConnect: false,
  });
  try {
    const late = new AbortController();
    const silence = sleep(TIMEOUT_MS, undefined, { signal: late.signal }).then(() => {
      throw new Error("it accepts the connection and then says nothing");
    });
    await Promise.race([connection.rtt(), silence]).finally(() => late.abort());
    return connection.getServer();
  } finally {
    await connection.close();
  }
}
