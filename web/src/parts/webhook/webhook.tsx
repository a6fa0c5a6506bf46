import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { api, content, page } from "../../base/api.ts";
import type { CallbackEndpoint, Delivery } from "../../base/model.ts";
import { liveChannel, returns } from "../../live/store.ts";
import { formatDateTime } from "../../text/format.ts";
import { t } from "../../text/text.ts";
import { Action, sayProblem } from "../basic/action.tsx";
import { CopyField } from "../basic/copy.tsx";
import { type Fields, Form, TextField } from "../basic/form.tsx";
import { say } from "../basic/notice.tsx";
import { useReading } from "../lists/reading.ts";
import { platformName, readPresets } from "../platform/presets.ts";
import { TestWebhook } from "./webhook-test.tsx";

const DELIVERIES_SHOWN = 20;

/** The default webhook and its deliveries. */
export function Webhook() {
  const endpoint = useSignal<CallbackEndpoint | undefined>(undefined);
  const deliveries = useSignal<readonly Delivery[]>([]);
  const [readDeliveries] = useReading(
    () => page(api.GET("/events/deliveries", { params: { query: { pageSizeNo: DELIVERIES_SHOWN } } })),
    ({ items }) => (deliveries.value = items),
  );
  useEffect(() => {
    const read = async (): Promise<void> => {
      endpoint.value = await content(api.GET("/events/callbackEndpoint"));
      await readPresets().catch(() => undefined);
      await readDeliveries();
    };
    read().catch(sayProblem);
  }, [returns.value]);
  const submit = async (field: Fields): Promise<void> => {
    const body = { callbackUrl: field("callbackUrl").trim() };
    endpoint.value = await content(api.POST("/events/callbackEndpoint", { body }));
    say(t().common.saved);
  };
  const { callbackUrl, goneTime, webhookSecret } = endpoint.value ?? {};
  return (
    <section class="panel" aria-labelledby="webhook-title">
      <div class="panel-head">
        <h2 id="webhook-title">{t().settings.webhook}</h2>
      </div>
      <p class="quiet">{t().settings.webhookHelp}</p>
      <Form key={callbackUrl ?? ""} submit={submit} button={t().common.save} kind="plain">
        <TextField
          label={t().settings.webhookUrl}
          name="callbackUrl"
          value={callbackUrl}
          help={goneTime === undefined ? undefined : t().settings.webhookGone}
          input={{ inputMode: "url", placeholder: "https://" }}
        />
      </Form>
      {callbackUrl !== undefined && <TestWebhook run={() => api.POST("/events/callbackEndpoint/test")} />}
      {webhookSecret !== undefined && (
        <CopyField label={t().settings.webhookSecret} help={t().settings.keyShown} value={webhookSecret} isSecret />
      )}
      <h3>{t().settings.deliveries}</h3>
      {deliveries.value.length === 0 && <p class="quiet">{t().settings.noDeliveries}</p>}
      {deliveries.value.length > 0 && <Deliveries deliveries={deliveries.value} onSent={readDeliveries} />}
    </section>
  );
}

/** The channel and the platform that a delivery is about: the channel's present name, the platform's at that time. */
function subjectOf({ channelId, targetName, label }: Delivery): string {
  if (channelId === undefined) return t().app.settings;
  const channel = liveChannel(channelId)?.channel.value.channelName ?? channelId;
  return targetName === undefined ? channel : `${channel} · ${platformName({ targetName, label })}`;
}

type DeliveriesOptions = { readonly deliveries: readonly Delivery[]; readonly onSent: () => Promise<void> };

function Deliveries({ deliveries, onSent }: DeliveriesOptions) {
  const { codes } = t().events;
  const { deliveryStates, deliveryProblems } = t().settings;
  const responseOf = ({ lastStatus, lastProblem }: Delivery): string =>
    lastStatus?.toString() ?? (lastProblem === undefined ? "–" : (deliveryProblems[lastProblem] ?? lastProblem));
  const resend = async (id: number): Promise<void> => {
    await api.POST("/events/deliveries/{deliveryId}/resend", { params: { path: { deliveryId: id } } });
    await onSent();
  };
  return (
    <div class="table-place">
      <table>
        <thead>
          <tr>
            <th scope="col">{t().settings.event}</th>
            <th scope="col">{t().settings.state}</th>
            <th scope="col">{t().settings.response}</th>
            <td />
          </tr>
        </thead>
        <tbody>
          {deliveries.map((delivery) => (
            <tr key={delivery.id}>
              <th scope="row">
                {codes[delivery.event] ?? delivery.event}{" "}
                <span class="quiet">
                  {subjectOf(delivery)} · {formatDateTime(delivery.timestamp)}
                </span>
              </th>
              <td data-label={t().settings.state}>
                {deliveryStates[delivery.state]} <span class="quiet">{t().settings.attempts(delivery.attempts)}</span>
              </td>
              <td data-label={t().settings.response}>{responseOf(delivery)}</td>
              <td>
                <Action run={() => resend(delivery.id)}>{t().settings.resend}</Action>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
