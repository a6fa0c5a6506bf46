import { once } from "node:events";
import { connect } from "node:net";
import type { Child } from "../../test/support/processes/children.ts";
import { waitFor } from "../../test/support/processes/waiting.ts";

const DEADLINE_MS = 15_000;

/** Waits until the program accepts connections on this port of 127.0.0.1. */
export async function waitForPort(port: number, child: Child): Promise<void> {
  await waitFor(`port ${port}`, DEADLINE_MS, async () => {
    if (!child.isRunning()) throw new Error(`it ended: ${child.stderr().slice(-2_000)}`);
    const socket = connect(port, "127.0.0.1");
    const isThere = await once(socket, "connect").then(
      () => true,
      () => undefined,
    );
    socket.destroy();
    return isThere;
  });
}
