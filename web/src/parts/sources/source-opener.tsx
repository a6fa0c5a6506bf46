import { useSignal } from "@preact/signals";
import type { Channel } from "../../base/model.ts";
import { panelTexts, t } from "../../text/text.ts";
import { SourcePanel } from "./source-panel.tsx";

/** The panel of files as a source. It asks the server for nothing until it is opened. */
export function SourceOpener({ channel }: { readonly channel: Channel }) {
  const isOpen = useSignal(false);
  return (
    <section class="panel" aria-labelledby="source-title">
      <div class="panel-head">
        <h2 id="source-title">{panelTexts().sources.title}</h2>
        <button type="button" aria-expanded={isOpen.value} onClick={() => (isOpen.value = !isOpen.value)}>
          {isOpen.value ? t().common.close : panelTexts().sources.open}
        </button>
      </div>
      {isOpen.value && <SourcePanel channel={channel} />}
    </section>
  );
}
