import { type Signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { api, content, page } from "../../base/api.ts";
import { now } from "../../base/clock.ts";
import type { Channel, MovedNode, ServerNode } from "../../base/model.ts";
import { liveChannel, returns } from "../../live/store.ts";
import { formatClock } from "../../text/format.ts";
import { panelTexts } from "../../text/text.ts";
import { sayProblem } from "../basic/action.tsx";
import { Confirm } from "../basic/confirm.tsx";
import { Icon } from "../basic/icon.tsx";
import { noteText, say } from "../basic/notice.tsx";
import { useReading } from "../lists/reading.ts";

/** How often the list is read while it is shown, in milliseconds. */
const READ_MS = 5_000;
const MBIT = 1_000_000;
/** Broadcasts of which a notice says why they stay; of further ones it says how many. */
const STAYING_SHOWN = 3;

/** The servers that work together on one database. Nothing is shown for a single one. */
export function ServerNodes() {
  const nodes = useSignal<readonly ServerNode[]>([]);
  /** What a person is about to do with a server. */
  const asked = useSignal<{ readonly what: "drain" | "move"; readonly node: ServerNode } | undefined>(undefined);
  /** The server that takes the broadcasts; empty: those with the fewest. */
  const to = useSignal("");
  const [read] = useReading(
    () => page(api.GET("/nodes")),
    ({ items }) => (nodes.value = items),
  );
  useEffect(() => {
    read().catch(sayProblem);
    // A single server stays one until it is started anew.
    const timer = setInterval(() => {
      if (nodes.value.length > 0) read().catch(() => undefined);
    }, READ_MS);
    return () => clearInterval(timer);
  }, [returns.value]);
  const run = async (): Promise<void> => {
    if (asked.value === undefined) return;
    const { what, node } = asked.value;
    const params = { path: { incarnation: String(node.incarnation) } };
    if (what === "move") {
      const body = to.value === "" ? {} : { to: Number(to.value) };
      const { staying = [] } = await content(api.POST("/nodes/{incarnation}/move", { params, body }));
      if (staying.length > 0) say(staysText(staying), "bad");
    } else await api.POST("/nodes/{incarnation}/drain", { params });
    // What was done is done, also where the list cannot be read again.
    await read().catch(sayProblem);
  };
  if (nodes.value.length === 0) return null;
  const texts = panelTexts().nodes;
  const isAlone =
    nodes.value.filter(({ nodeState, incarnation }) => nodeState === "SERVING" || String(incarnation) === to.value)
      .length < 2;
  return (
    <section class="panel" aria-labelledby="nodes-title">
      <div class="panel-head">
        <h2 id="nodes-title">{texts.title}</h2>
      </div>
      <p class="quiet">{texts.help}</p>
      <div class="table-place">
        <table>
          <thead>
            <tr>
              <th scope="col">{texts.name}</th>
              <th scope="col">{texts.state}</th>
              <th scope="col">{texts.channels}</th>
              <th scope="col">{texts.egress}</th>
              <th scope="col">{texts.version}</th>
              <td />
            </tr>
          </thead>
          <tbody>
            {nodes.value.map((node) => (
              <Row
                key={node.incarnation}
                node={node}
                canMove={!isAlone || node.nodeState === "DRAINING"}
                onAsk={(what) => {
                  to.value = "";
                  asked.value = { what, node };
                }}
              />
            ))}
          </tbody>
        </table>
      </div>
      {asked.value !== undefined && (
        <Confirm
          title={texts[asked.value.what]}
          text={(asked.value.what === "drain" ? texts.drainSure : texts.moveSure)(asked.value.node.nodeId)}
          run={run}
          onClose={() => (asked.value = undefined)}
        >
          {asked.value.what === "move" && (
            <Destination
              nodes={nodes.value.filter(({ incarnation }) => incarnation !== asked.value?.node.incarnation)}
              to={to}
            />
          )}
        </Confirm>
      )}
    </section>
  );
}

type DestinationParts = {
  readonly nodes: readonly ServerNode[];
  readonly to: Signal<string>;
};

/** Which server takes the broadcasts. The chosen one stays in the list when it begins to drain or is lost: the server refuses it. */
function Destination({ nodes, to }: DestinationParts) {
  const texts = panelTexts().nodes;
  return (
    <label class="field">
      <span>{texts.moveTo}</span>
      <select value={to.value} onChange={({ currentTarget }) => (to.value = currentTarget.value)}>
        <option value="">{texts.moveToAny}</option>
        {nodes
          .filter(({ nodeState }) => nodeState === "SERVING")
          .map(({ incarnation, nodeId, channelCount = 0 }) => (
            <option key={incarnation} value={String(incarnation)}>
              {texts.destination(nodeId, incarnation, channelCount)}
            </option>
          ))}
      </select>
    </label>
  );
}

type RowParts = {
  readonly node: ServerNode;
  /** Another server takes channels. */
  readonly canMove: boolean;
  readonly onAsk: (what: "drain" | "move") => void;
};

function Row({ node, canMove, onAsk }: RowParts) {
  const texts = panelTexts().nodes;
  const { nodeId, incarnation, version, nodeState, isSelf, channelCount, drainEndTime } = node;
  const left = drainEndTime === undefined ? undefined : Math.max(0, (drainEndTime - now.value) / 1_000);
  return (
    <tr>
      <th scope="row">
        {nodeId} <span class="quiet">{isSelf ? texts.self : `#${incarnation}`}</span>
      </th>
      <td data-label={texts.state}>
        {texts.states[nodeState]}
        {left !== undefined && <span class="quiet"> {texts.endsIn(formatClock(left))}</span>}
      </td>
      <td data-label={texts.channels}>{channelCount ?? "–"}</td>
      <td data-label={texts.egress}>{egressText(node)}</td>
      <td data-label={texts.version}>{version}</td>
      <td>
        <div class="buttons row-end">
          {canMove && (nodeState === "SERVING" || nodeState === "DRAINING") && (channelCount ?? 0) > 0 && (
            <button type="button" aria-label={`${texts.move}: ${nodeId}`} onClick={() => onAsk("move")}>
              {texts.move}
            </button>
          )}
          {nodeState === "SERVING" && (
            <button type="button" aria-label={`${texts.drain}: ${nodeId}`} onClick={() => onAsk("drain")}>
              {texts.drain}
            </button>
          )}
        </div>
      </td>
    </tr>
  );
}

/** Which broadcasts stay, and why: of the first ones. */
function staysText(staying: NonNullable<MovedNode["staying"]>): string {
  const names = staying.map(({ channelId, ...note }) => {
    const name = liveChannel(channelId)?.channel.value.channelName ?? channelId;
    return `${name}: ${noteText(note)}`;
  });
  const more = staying.length - STAYING_SHOWN;
  return [...names.slice(0, STAYING_SHOWN), ...(more > 0 ? [panelTexts().nodes.moreStay(more)] : [])].join(" ");
}

function egressText({ egressBitsPerSecond, capacityBitsPerSecond }: ServerNode): string {
  if (egressBitsPerSecond === undefined) return "–";
  const sent = (egressBitsPerSecond / MBIT).toFixed(1);
  return capacityBitsPerSecond === undefined ? `${sent} Mbit/s` : `${sent} / ${capacityBitsPerSecond / MBIT} Mbit/s`;
}

/** Of several servers the one that carries the channel is silent or gone: how old everything on the page is. */
export function OwnerNote({ channel: { ownerState, statusAge = 0 } }: { readonly channel: Channel }) {
  const texts = panelTexts().nodes;
  return (
    <p class="panel" role="status">
      <Icon name="alert" /> {ownerState === "LOST" ? texts.ownerLost : texts.ownerSilent(statusAge)}
    </p>
  );
}
