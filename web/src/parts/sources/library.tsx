import type { Signal } from "@preact/signals";
import { useSignal } from "@preact/signals";
import { api } from "../../base/api.ts";
import { at } from "../../base/base-path.ts";
import type { MediaFile, MediaSpace } from "../../base/model.ts";
import { formatBytes, formatClock } from "../../text/format.ts";
import { language, panelTexts } from "../../text/text.ts";
import { sayProblem } from "../basic/action.tsx";
import { Confirm } from "../basic/confirm.tsx";
import { Icon } from "../basic/icon.tsx";
import { upload } from "./upload.ts";

type LibraryOptions = {
  readonly files: readonly MediaFile[];
  readonly space: MediaSpace | undefined;
  readonly onAdd: (fileId: string) => void;
  readonly refresh: () => Promise<void>;
};

/** The files on this server: upload, add to the playlist, delete. */
export function Library({ files, space, onAdd, refresh }: LibraryOptions) {
  const asked = useSignal<MediaFile | undefined>(undefined);
  const progress = useSignal("");
  const texts = panelTexts().sources;
  const remove = async (fileId: string): Promise<void> => {
    await api.DELETE("/media-files/{fileId}", { params: { path: { fileId } } });
    await refresh();
  };
  return (
    <section aria-labelledby="library-title">
      <h3 id="library-title">{texts.library}</h3>
      {space !== undefined && (
        <p class="quiet">{texts.space(formatBytes(space.usedBytes), formatBytes(space.quotaBytes))}</p>
      )}
      {files.length === 0 && <p class="quiet">{texts.none}</p>}
      <ul>
        {files.map((file) => (
          <li key={file.fileId} class="buttons">
            {file.fileState === "ready" && (
              <img src={at(`/api/v2/media-files/${file.fileId}/frame`)} alt="" width="96" loading="lazy" />
            )}
            <span>
              <strong>{file.fileName}</strong>{" "}
              <small>{file.fileState === "ready" ? describe(file) : texts.fileStates[file.fileState]}</small>
              {file.notice !== undefined && (
                <small class="tone-busy">{language.value === "ko" ? file.noticeKo : file.notice}</small>
              )}
              {file.refusedFor !== undefined && (
                <small class="problem">{language.value === "ko" ? file.refusedForKo : file.refusedFor}</small>
              )}
            </span>
            {file.fileState === "ready" && (
              <button type="button" onClick={() => onAdd(file.fileId)}>
                <Icon name="plus" /> {texts.add}
              </button>
            )}
            {file.watched === true ? (
              <small class="quiet">{texts.watched}</small>
            ) : (
              <button
                type="button"
                class="plain"
                aria-label={texts.delete(file.fileName)}
                onClick={() => (asked.value = file)}
              >
                <Icon name="cross" />
              </button>
            )}
          </li>
        ))}
      </ul>
      <UploadField files={files} progress={progress} refresh={refresh} />
      {asked.value !== undefined && (
        <Confirm
          title={texts.delete(asked.value.fileName)}
          text={texts.deleteSure}
          run={() => remove(asked.value?.fileId ?? "")}
          onClose={() => (asked.value = undefined)}
        />
      )}
    </section>
  );
}

type UploadOptions = Pick<LibraryOptions, "files" | "refresh"> & { readonly progress: Signal<string> };

function UploadField({ files, progress, refresh }: UploadOptions) {
  const texts = panelTexts().sources;
  const choose = async (input: HTMLInputElement): Promise<void> => {
    const [file] = input.files ?? [];
    input.value = "";
    if (file === undefined) return;
    const show = (received: number): void => {
      progress.value = texts.uploading(file.name, Math.floor((100 * received) / file.size));
    };
    show(0);
    await upload(file, files, show).catch(sayProblem);
    progress.value = "";
    await refresh();
  };
  return (
    <div class="field">
      <label>
        {texts.upload}
        <input
          type="file"
          accept="video/*,image/png,image/jpeg,image/webp,.mkv,.flv,.ts"
          disabled={progress.value !== ""}
          onChange={(event) => void choose(event.currentTarget)}
        />
      </label>
      <p class="help" role="status">
        {progress.value === "" ? texts.resume : progress.value}
      </p>
    </div>
  );
}

/** Length, size and codecs, as far as they are known. */
function describe({ durationSeconds, width, height, videoCodec, hdr, audioCodec }: MediaFile): string {
  return [
    durationSeconds === undefined ? "" : formatClock(durationSeconds),
    `${width ?? 0}×${height ?? 0}`,
    videoCodec ?? "",
    hdr === undefined ? "" : "HDR",
    audioCodec ?? panelTexts().sources.noAudio,
  ]
    .filter((word) => word !== "")
    .join(" · ");
}
