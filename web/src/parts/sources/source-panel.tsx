import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { api, content, ofChannel } from "../../base/api.ts";
import type { Channel, MediaFile, MediaSpace, Slate, Source } from "../../base/model.ts";
import { panelTexts } from "../../text/text.ts";
import { Action, sayProblem, useInOrder } from "../basic/action.tsx";
import { Icon } from "../basic/icon.tsx";
import { noteText } from "../basic/notice.tsx";
import { useReading } from "../lists/reading.ts";
import { Library } from "./library.tsx";
import { PullSection } from "./pull.tsx";
import { SlateSection } from "./slate.tsx";

/** How often the state is read while the panel is open, in milliseconds. */
const READ_EVERY_MS = 2_000;
const PATH = "/re-stream/channels/{channelId}/source";

/** What plays into a channel in place of an encoder, and the library it is chosen from. */
export function SourcePanel({ channel }: { readonly channel: Channel }) {
  const source = useSignal<Source | undefined>(undefined);
  const files = useSignal<readonly MediaFile[]>([]);
  const space = useSignal<MediaSpace | undefined>(undefined);
  const slate = useSignal<Slate | undefined>(undefined);
  /** How many changes of the list are on their way: it shows them already. */
  const changes = useRef(0);
  const inOrder = useInOrder();
  const { channelId } = channel;
  const of = ofChannel(channelId);
  const [readSource, noteChange] = useReading(
    () => content(api.GET(PATH, of)),
    (found) => {
      if (changes.current === 0) source.value = found;
    },
  );
  const refresh = async (): Promise<void> => {
    // One that fails is read again in a moment.
    await readSource().catch(() => undefined);
    slate.value = await content(api.GET("/re-stream/channels/{channelId}/slate", of)).catch(() => slate.value);
    files.value = await content(api.GET("/media-files")).catch(() => files.value);
    space.value = await content(api.GET("/media-space")).catch(() => space.value);
  };
  useEffect(() => {
    void refresh();
    const timer = setInterval(() => void refresh(), READ_EVERY_MS);
    return () => clearInterval(timer);
  }, [channelId]);
  const present = source.value;
  if (present === undefined) return null;
  /** The next press is about what this one leaves, also before the server has answered. */
  const set = async (fileIds: readonly string[], loop: boolean): Promise<void> => {
    const body = { fileIds: [...fileIds], loop };
    source.value = { ...present, ...body };
    changes.current += 1;
    const call = () => content(fileIds.length === 0 ? api.DELETE(PATH, of) : api.PUT(PATH, { ...of, body }));
    await inOrder(call).catch(sayProblem);
    changes.current -= 1;
    noteChange();
    if (changes.current === 0) await refresh();
  };
  const fileIds = present.fileIds ?? [];
  return (
    <div class="source">
      <p class="quiet">{panelTexts().sources.intro}</p>
      {!present.ffmpegFound && (
        <p class="tone-busy">
          <Icon name="alert" /> {panelTexts().sources.noFfmpeg}
        </p>
      )}
      <SourceState source={present} files={files.value} channelId={channelId} refresh={refresh} />
      <PullSection source={present} channelId={channelId} refresh={refresh} />
      <Playlist source={present} files={files.value} set={set} />
      {slate.value !== undefined && (
        <SlateSection channel={channel} slate={slate.value} files={files.value} refresh={refresh} />
      )}
      <Library
        files={files.value}
        space={space.value}
        refresh={refresh}
        onAdd={(fileId) => void set([...fileIds, fileId], present.loop ?? false)}
      />
    </div>
  );
}

/** Pulls and files have other words for some states. */
function wordOf({ sourceState, sourceReason, pull }: Source) {
  if (sourceState === "playing" && pull !== undefined) return "pulling";
  return sourceState === "failed" && sourceReason !== undefined ? "waiting" : sourceState;
}

type StateOptions = {
  readonly source: Source;
  readonly files: readonly MediaFile[];
  readonly channelId: string;
  readonly refresh: () => Promise<void>;
};

function SourceState({ source, files, channelId, refresh }: StateOptions) {
  const texts = panelTexts().sources;
  const { sourceState, fileId, position = 0, fileIds = [] } = source;
  const isStopped = sourceState === "stopped";
  const act = async (name: "start" | "stop"): Promise<void> => {
    await api.POST(`${PATH}/${name}`, ofChannel(channelId));
    await refresh();
  };
  const text =
    sourceState === "playing" && fileId !== undefined
      ? source.scheduleId === undefined
        ? texts.playing(nameOf(files, fileId), position + 1, fileIds.length)
        : texts.playingScheduled(nameOf(files, fileId))
      : texts.states[wordOf(source)];
  const reason = noteText(source);
  return (
    <div class="buttons">
      <span role="status">
        {text}
        {reason !== undefined && <small class="quiet"> {reason}</small>}
      </span>
      {isStopped ? (
        <Action kind="main" isDisabled={fileIds.length === 0 && source.pull === undefined} run={() => act("start")}>
          {texts.start}
        </Action>
      ) : (
        <Action kind="danger" run={() => act("stop")}>
          {texts.stop}
        </Action>
      )}
    </div>
  );
}

type PlaylistOptions = {
  readonly source: Source;
  readonly files: readonly MediaFile[];
  readonly set: (fileIds: readonly string[], loop: boolean) => Promise<void>;
};

function Playlist({ source, files, set }: PlaylistOptions) {
  const texts = panelTexts().sources;
  const { fileIds = [], loop = false, sourceState, scheduleId } = source;
  const position = scheduleId === undefined ? source.position : undefined;
  const swapped = (index: number): string[] =>
    fileIds.map((each, at) => (at === index - 1 ? fileIds[index] : at === index ? fileIds[index - 1] : each) ?? each);
  return (
    <section aria-labelledby="playlist-title">
      <h3 id="playlist-title">{texts.playlist}</h3>
      {fileIds.length === 0 && <p class="quiet">{texts.empty}</p>}
      <ol>
        {fileIds.map((fileId, index) => {
          const name = nameOf(files, fileId);
          return (
            <li
              key={`${fileId} ${index}`}
              class="buttons"
              aria-current={sourceState === "playing" && position === index}
            >
              <span>
                {index + 1}. {name}
              </span>
              {index > 0 && (
                <button
                  type="button"
                  class="plain"
                  aria-label={texts.up(name)}
                  onClick={() => void set(swapped(index), loop)}
                >
                  ↑
                </button>
              )}
              <button
                type="button"
                class="plain"
                aria-label={texts.remove(name)}
                onClick={() =>
                  void set(
                    fileIds.filter((_, at) => at !== index),
                    loop,
                  )
                }
              >
                <Icon name="cross" />
              </button>
            </li>
          );
        })}
      </ol>
      {fileIds.length > 0 && (
        <label class="check">
          <input type="checkbox" checked={loop} onChange={() => void set(fileIds, !loop)} /> {texts.loop}
        </label>
      )}
    </section>
  );
}

const nameOf = (files: readonly MediaFile[], fileId: string): string =>
  files.find((file) => file.fileId === fileId)?.fileName ?? panelTexts().sources.gone;
