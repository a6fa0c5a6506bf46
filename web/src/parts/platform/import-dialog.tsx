import { useSignal } from "@preact/signals";
import { type Import, type ImportedTarget, importTargets } from "../../../../src/api-contract/input/import-targets.ts";
import { api, content, ofChannel } from "../../base/api.ts";
import type { Platform } from "../../base/model.ts";
import { showPlatform } from "../../live/store.ts";
import { t } from "../../text/text.ts";
import { problemText } from "../basic/action.tsx";
import { Dialog } from "../basic/dialog.tsx";
import { Field, Form } from "../basic/form.tsx";
import { noteText } from "../basic/notice.tsx";
import { platformName } from "./presets.ts";

type ImportOptions = { readonly channelId: string; readonly onClose: () => void };

/** Reads platforms from another program's settings, shows them, and adds them one by one. */
export function ImportPlatforms({ channelId, onClose }: ImportOptions) {
  const text = useSignal("");
  /** How many were added before one was refused: they are not added again. */
  const added = useSignal(0);
  const isDraggedOver = useSignal(false);
  const found = importTargets(text.value);
  const usable = found.targets.filter(({ streamKey }) => streamKey !== "");
  const setText = (given: string): void => {
    text.value = given;
    added.value = 0;
  };
  const readFile = async (file: File | undefined): Promise<void> => {
    if (file !== undefined) setText(await file.text());
  };
  const submit = async (): Promise<void> => {
    for (const { notes: _shown, ...one } of usable.slice(added.value)) {
      try {
        const call = api.POST("/re-stream/channels/{channelId}/platforms", { ...ofChannel(channelId), body: one });
        await showPlatform(channelId, content(call));
      } catch (error) {
        const why = `${nameOf(one)}: ${problemText(error)}`;
        throw new Error(added.value === 0 ? why : `${why} ${t().import.othersAdded(added.value)}`);
      }
      added.value += 1;
    }
  };
  const drop = (event: DragEvent): void => {
    event.preventDefault();
    isDraggedOver.value = false;
    const { files } = event.dataTransfer ?? {};
    if (files?.[0] === undefined) setText(event.dataTransfer?.getData("text/plain") ?? "");
    else void readFile(files[0]);
  };
  const dragOver = (event: DragEvent): void => {
    event.preventDefault();
    isDraggedOver.value = true;
  };
  return (
    <Dialog title={t().import.title} onClose={onClose} isWide>
      <Form
        submit={submit}
        button={usable.length === 0 ? t().common.add : t().import.button(usable.length - added.value)}
        onClose={onClose}
        isDisabled={usable.length === 0}
      >
        <Field label={t().import.input} help={t().import.help}>
          {(ids) => (
            <textarea
              {...ids}
              rows={7}
              spellcheck={false}
              value={text.value}
              required
              onInput={(event) => setText(event.currentTarget.value)}
              class={isDraggedOver.value ? "dragged-over" : ""}
              onDragOver={dragOver}
              onDragLeave={() => (isDraggedOver.value = false)}
              onDrop={drop}
            />
          )}
        </Field>
        <label class="file">
          <span>{t().import.file}</span>
          <input type="file" onChange={(event) => void readFile(event.currentTarget.files?.[0])} />
        </label>
        <div role="status">{text.value.trim() !== "" && <Found found={found} />}</div>
      </Form>
    </Dialog>
  );
}

const nameOf = ({ targetName, label }: ImportedTarget): string =>
  platformName({ targetName: targetName as Platform["targetName"], ...(label === undefined ? {} : { label }) });

/** What would be added, and what cannot be added and why. */
function Found({ found: { targets, skipped, problem } }: { readonly found: Import }) {
  const texts = t().import;
  if (problem !== undefined) {
    const { line, column } = problem.kind === "broken-json" ? problem : {};
    const isPlaced = line !== undefined && column !== undefined;
    return <p class="problem">{isPlaced ? texts.brokenAt(line, column) : texts.problems[problem.kind]}</p>;
  }
  return (
    <>
      <p>{texts.found(targets.length)}</p>
      <ul class="found">
        {targets.map((one, index) => (
          <li key={index}>
            <b>{nameOf(one)}</b>
            <code>{one.rtmpUrl}</code>
            {one.notes?.map((note) => (
              <span key={`${note.field} ${note.code}`} class="quiet">
                {t().import.ofField[note.field]} {noteText(note)}
              </span>
            ))}
            {one.streamKey === "" && <span class="tone-bad">{texts.noKey}</span>}
          </li>
        ))}
        {skipped.map(({ what, reason }, index) => (
          <li key={`skipped ${index}`}>
            <b>{what}</b>
            <span class="tone-bad">{texts.skipped[reason]}</span>
          </li>
        ))}
      </ul>
    </>
  );
}
