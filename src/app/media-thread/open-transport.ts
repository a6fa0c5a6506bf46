import assert from "node:assert";
import { type MessageTransport, portTransport } from "../../remote-publish/message-transport.ts";
import type { TransportEnd } from "../threads/transport-ends.ts";

/** Opens the end of a transport that came with a message. Throws where none came. */
export type OpenTransport = <Sent, Received>(end: TransportEnd | undefined) => MessageTransport<Sent, Received>;

/** `onFault` takes the error that the receiver of a message threw. */
export function transportOpener(onFault: (error: unknown) => void): OpenTransport {
  return (end) => {
    assert(end !== undefined, "no transport came with the message");
    return portTransport(end, onFault);
  };
}
