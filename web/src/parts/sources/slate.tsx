import { api, ofChannel } from "../../base/api.ts";
import type { Channel, MediaFile, Slate } from "../../base/model.ts";
import { panelTexts } from "../../text/text.ts";
import { Action, sayProblem } from "../basic/action.tsx";
import { noteText } from "../basic/notice.tsx";

type SlateOptions = {
  readonly channel: Channel;
  readonly slate: Slate;
  readonly files: readonly MediaFile[];
  readonly refresh: () => Promise<void>;
};

/** What stands in front of a lost encoder, and the curtain that puts it there at a press. */
export function SlateSection({ channel, slate, files, refresh }: SlateOptions) {
  const texts = panelTexts().sources;
  const of = ofChannel(channel.channelId);
  const after = async (change: Promise<unknown>): Promise<void> => {
    await change;
    await refresh();
  };
  const choose = (list: HTMLSelectElement): void => {
    const { value: fileId } = list;
    const call =
      fileId === ""
        ? api.DELETE("/re-stream/channels/{channelId}/slate", of)
        : api.PUT("/re-stream/channels/{channelId}/slate", { ...of, body: { fileId } });
    after(call).catch((error: unknown) => {
      list.value = slate.fileId ?? "";
      sayProblem(error);
    });
  };
  const turnCurtain = (): Promise<void> =>
    after(
      slate.curtainClosed
        ? api.DELETE("/re-stream/channels/{channelId}/curtain", of)
        : api.POST("/re-stream/channels/{channelId}/curtain", of),
    );
  const message = noteText(slate);
  return (
    <section aria-labelledby="slate-title">
      <h3 id="slate-title">{texts.slate}</h3>
      <p class="quiet">{texts.slateIntro}</p>
      <label class="field">
        {texts.slateFile}
        <select onChange={({ currentTarget }) => choose(currentTarget)}>
          <option value="" selected={slate.fileId === undefined}>
            {texts.lastFrame}
          </option>
          {files
            .filter(({ fileState }) => fileState === "ready")
            .map(({ fileId, fileName }) => (
              <option key={fileId} value={fileId} selected={fileId === slate.fileId}>
                {fileName}
              </option>
            ))}
        </select>
      </label>
      {message !== undefined && <p class="help">{message}</p>}
      {slate.slateShown && <p role="status">{texts.slateShown}</p>}
      {channel.isPublishing && slate.fileId !== undefined && (
        <Action kind={slate.curtainClosed ? "main" : undefined} run={turnCurtain}>
          {slate.curtainClosed ? texts.openCurtain : texts.closeCurtain}
        </Action>
      )}
    </section>
  );
}
