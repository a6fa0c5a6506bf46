import type { MessageTransport } from "../remote-publish/message-transport.ts";
import type { LinkCodec } from "./link-codec.ts";
import type { LinkConnection } from "./link-connection.ts";

/**
 * A message transport over a link between two nodes, with the same behaviour as one between two threads. A malformed
 * frame, and an error thrown by a listener, end this transport only.
 */
export function socketTransport<Sent, Received>(
  connection: LinkConnection,
  codec: LinkCodec<Sent, Received>,
): MessageTransport<Sent, Received> {
  return {
    post(message) {
      if (!connection.isOver) connection.send(...codec.encode(message));
    },
    listen(onMessage, onClosed) {
      connection.listen({ onFrame: (frame) => onMessage(codec.decode(frame)), onClosed });
    },
    close() {
      connection.close();
    },
  };
}
