import { type LinkSecrets, parseLinkSecrets } from "../../node-link/link-secret.ts";
import type { NodeLinkOptions } from "./media-options.ts";

/** What TLS between nodes needs: the cluster's secrets and the number of this node's start. */
export type LinkTls = { readonly secrets: LinkSecrets; readonly incarnation: string };

/** The secret was checked at the start. */
export function linkTls({ secretText, incarnation }: Pick<NodeLinkOptions, "secretText" | "incarnation">): LinkTls {
  const secrets = parseLinkSecrets(secretText);
  if (typeof secrets === "string") throw new Error(`the cluster's secret file: ${secrets}`);
  return { secrets, incarnation: String(incarnation) };
}
