import { useSignal } from "@preact/signals";
import { importTargets } from "../../../src/contract/import-targets.ts";
import { call, channelPath } from "../api.ts";
import { showPlatform } from "../live/store.ts";
import type { Platform } from "../model.ts";
import { platformName } from "../presets.ts";
import { t } from "../text/text.ts";
import { Dialog } from "./dialog.tsx";
import { Field, Form } from "./form.tsx";

type ImportOptions = { readonly channelId: string; readonly onClose: () => void };

/** Platforms out of another program's settings: shown first, then added one by one. */
export function ImportPlatforms({ channelId, onClose }: ImportOptions) {
  const text = useSignal("");
  /** What was added before a later one was refused is not added again. */
  const added = useSignal(0);
  const found = importTargets(text.value);
  const usable = found.filter(({ streamKey }) => streamKey !== "");
  const take = (given: string): void => {
    text.value = given;
    added.value = 0;
  };
  const readFile = async (file: File | undefined): Promise<void> => {
    if (file !== undefined) take(await file.text());
  };
  const submit = async (): Promise<void> => {
    for (const one of usable.slice(added.value)) {
      showPlatform(channelId, await call<Platform>("POST", `${channelPath(channelId)}/platforms`, one));
      added.value += 1;
    }
    onClose();
  };
  const drop = (event: DragEvent): void => {
    event.preventDefault();
    void readFile(event.dataTransfer?.files[0]);
  };
  return (
    <Dialog title={t().import.title} onClose={onClose} isWide>
      <Form submit={submit} button={t().import.button(usable.length - added.value)} onCancel={onClose}>
        <Field label={t().import.input} help={t().import.help}>
          {(ids) => (
            <textarea
              {...ids}
              rows={7}
              spellcheck={false}
              value={text.value}
              required
              onInput={(event) => take(event.currentTarget.value)}
              onDragOver={(event) => event.preventDefault()}
              onDrop={drop}
            />
          )}
        </Field>
        <label class="file">
          <span>{t().import.file}</span>
          <input type="file" onChange={(event) => void readFile(event.currentTarget.files?.[0])} />
        </label>
        <div role="status">
          {text.value !== "" && <p>{found.length === 0 ? t().import.nothing : t().import.found(found.length)}</p>}
          <ul class="found">
            {found.map((one, index) => (
              <li key={index}>
                <b>
                  {platformName({
                    targetName: one.targetName as Platform["targetName"],
                    ...(one.label === undefined ? {} : { label: one.label }),
                  })}
                </b>
                <code>{one.rtmpUrl}</code>
                {one.streamKey === "" && <span class="tone-bad">{t().import.noKey}</span>}
              </li>
            ))}
          </ul>
        </div>
      </Form>
    </Dialog>
  );
}
