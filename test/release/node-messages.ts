import { globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { z } from "zod";
import { ROOT } from "../support/processes/fanfare-process.ts";

/** Where messages of versions are kept. */
export const NODE_MESSAGES = join(ROOT, "test", "fixtures", "node-messages");

/** The versions whose messages are kept. `next` is the state before the first release that knows several servers. */
export const NODE_MESSAGE_VERSIONS = globSync("*.json", { cwd: NODE_MESSAGES }).map((name) => basename(name, ".json"));

const body = z.record(z.string(), z.unknown());
const recorded = z.object({
  version: z.string(),
  messages: z.array(z.object({ subject: z.string(), body, reply: body.optional() })),
});

/** One message between nodes: its subject without the cluster's prefix, and the reply where it was a question. */
export type NodeMessage = z.infer<typeof recorded>["messages"][number];

/** What kind of message that is: its subject without the node's number, and the word of a question. */
export function kindOf({ subject, body: { op, do: command } }: Pick<NodeMessage, "subject" | "body">): string {
  const words = [subject.replace(/^node\.\d+\./, "node."), op, command].filter((word) => typeof word === "string");
  return words.join(" ");
}

/** Reads the messages that a version's nodes told each other. */
export function readNodeMessages(version: string): readonly NodeMessage[] {
  return recorded.parse(JSON.parse(readFileSync(join(NODE_MESSAGES, `${version}.json`), "utf8"))).messages;
}
