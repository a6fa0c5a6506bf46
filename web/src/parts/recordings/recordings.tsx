import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { api, content, ofChannel, page } from "../../base/api.ts";
import { at } from "../../base/base-path.ts";
import type { Channel, Recording } from "../../base/model.ts";
import { returns, showParts } from "../../live/store.ts";
import { formatBytes, formatDateTime, formatDuration } from "../../text/format.ts";
import { panelTexts } from "../../text/text.ts";
import { sayProblem } from "../basic/action.tsx";
import { Confirm } from "../basic/confirm.tsx";
import { useReading } from "../lists/reading.ts";

const SHOWN_MAX = 50;
/** A list with a file that grows is read again this often, in milliseconds. */
const REREAD_MS = 5_000;

/** The switch for a channel's recording, how that stands, and its files. */
export function Recordings({ channel }: { readonly channel: Channel }) {
  const found = useSignal<{ readonly items: readonly Recording[]; readonly total: number }>({ items: [], total: 0 });
  const asked = useSignal<Recording | undefined>(undefined);
  const { channelId, recording } = channel;
  const [readList] = useReading(
    () => page(api.GET("/re-stream/recordings", { params: { query: { channelId, pageSizeNo: SHOWN_MAX } } })),
    (answer) => (found.value = answer),
  );
  const read = (): Promise<void> => readList().catch(() => undefined);
  const isGrowing = recording.status === "RECORDING";
  useEffect(() => {
    void read();
    const timer = setInterval(() => void read(), REREAD_MS);
    if (!isGrowing) {
      // A file is finished a moment after the recording ended.
      const last = setTimeout(() => clearInterval(timer), 2 * REREAD_MS + 1);
      return () => {
        clearTimeout(last);
        clearInterval(timer);
      };
    }
    return () => clearInterval(timer);
  }, [channelId, isGrowing, returns.value]);
  const texts = panelTexts().recordings;
  const { items, total } = found.value;
  const question = asked.value;
  return (
    <section class="panel" aria-labelledby="recordings-title">
      <div class="panel-head">
        <h2 id="recordings-title">{texts.title}</h2>
        <span role="status" class={recording.status === "FAIL" ? "tone-bad" : "quiet"}>
          {texts.status[recording.status]}
        </span>
      </div>
      {recording.reason !== undefined && <p class="tone-bad">{texts.problems[recording.reason.code]}</p>}
      <Toggle channel={channel} />
      {items.length === 0 ? (
        <p class="quiet">{texts.none}</p>
      ) : (
        <div class="table-place">
          <table>
            <thead>
              <tr>
                {[texts.started, texts.length, texts.size, texts.tracks].map((head) => (
                  <th key={head} scope="col">
                    {head}
                  </th>
                ))}
                <td />
              </tr>
            </thead>
            <tbody>
              {items.map((file) => (
                <Row key={file.recordingId} file={file} onDelete={() => (asked.value = file)} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {total > items.length && <p class="quiet">{texts.more(total - items.length)}</p>}
      {question !== undefined && (
        <Confirm
          title={texts.deleteTitle}
          text={texts.deleteSure(formatDateTime(question.startTime))}
          run={async () => {
            const { recordingId } = question;
            const path = { channelId: question.channelId, recordingId };
            await api.DELETE("/re-stream/recordings/{channelId}/{recordingId}", { params: { path } });
            await read();
          }}
          onClose={() => (asked.value = undefined)}
        />
      )}
    </section>
  );
}

/**
 * Takes effect at once, also on air. The box shows what a person chose until the server has answered, whatever the live
 * stream says meanwhile. A failure shows the former state again.
 */
function Toggle({ channel: { channelId, recording } }: { readonly channel: Channel }) {
  const texts = panelTexts().recordings;
  const chosen = useSignal<boolean | undefined>(undefined);
  const change = async (enabled: boolean): Promise<void> => {
    chosen.value = enabled;
    try {
      const body = { recording: { enabled } };
      const call = api.PUT("/re-stream/channels/{channelId}", { ...ofChannel(channelId), body });
      await showParts(channelId, content(call), "recording");
    } catch (error) {
      sayProblem(error);
    }
    chosen.value = undefined;
  };
  return (
    <label class="check">
      <input
        type="checkbox"
        checked={chosen.value ?? recording.enabled}
        onChange={({ currentTarget }) => void change(currentTarget.checked)}
      />
      <span>
        {texts.toggle}
        <span class="help">{texts.toggleHelp}</span>
      </span>
    </label>
  );
}

function Row({ file, onDelete }: { readonly file: Recording; readonly onDelete: () => void }) {
  const texts = panelTexts().recordings;
  const name = formatDateTime(file.startTime);
  const path = `/re-stream/recordings/${encodeURIComponent(file.channelId)}/${encodeURIComponent(file.recordingId)}/file`;
  const isGrowing = file.state === "RECORDING";
  return (
    <tr>
      <th scope="row">{name}</th>
      <td data-label={texts.length}>{formatDuration(Math.round(file.durationMilliseconds / 1_000))}</td>
      <td data-label={texts.size}>{formatBytes(file.bytes)}</td>
      <td data-label={texts.tracks}>
        {file.tracks.map(trackText).join(", ")}
        {file.upload !== undefined && (
          <span class={file.upload.state === "FAILED" ? "help tone-bad" : "help"} title={file.upload.detail}>
            {texts.uploads[file.upload.state]}
          </span>
        )}
      </td>
      <td>
        <div class="buttons row-end">
          <a href={at(`/api/v2${path}`)} download={file.fileName} aria-label={texts.downloadOf(name)}>
            {texts.download}
          </a>
          {isGrowing ? (
            <span class="quiet">{texts.growing}</span>
          ) : (
            <button type="button" aria-label={texts.deleteOf(name)} onClick={onDelete}>
              {texts.delete}
            </button>
          )}
        </div>
      </td>
    </tr>
  );
}

function trackText({ codec, height, channels }: Recording["tracks"][number]): string {
  const size = height === undefined ? (channels === undefined ? "" : ` ×${channels}`) : ` ${height}p`;
  return `${codec}${size}`;
}
