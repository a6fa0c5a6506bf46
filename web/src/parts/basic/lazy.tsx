import { signal } from "@preact/signals";
import type { ComponentChildren, ComponentType } from "preact";
import { useEffect } from "preact/hooks";
import { loadPanelTexts } from "../../text/text.ts";
import { recoverMissing } from "./missing-part.ts";

type LazyOptions = {
  /** Called when it is shown for the first time. */
  readonly onLoaded?: () => void;
  /** Keeps its place, so that nothing below it moves when it comes. */
  readonly Meanwhile?: ComponentType;
};

type LazyComponent<Props> = ComponentType<Props> & {
  /** Loads it before it is shown. Rejects where that fails. */
  readonly load: () => Promise<void>;
};

/** A component whose code and texts are loaded when it is first shown. */
export function lazy<Props extends object>(
  load: () => Promise<ComponentType<Props>>,
  { onLoaded, Meanwhile }: LazyOptions = {},
): LazyComponent<Props> {
  const loaded = signal<ComponentType<Props> | undefined>(undefined);
  const loadAll = async (): Promise<void> => {
    const [part] = await Promise.all([load(), loadPanelTexts()]);
    loaded.value = part;
  };
  function Lazy(props: Props) {
    useEffect(() => {
      if (loaded.peek() === undefined) loadAll().then(onLoaded, () => void recoverMissing());
    }, []);
    const Part = loaded.value;
    if (Part !== undefined) return <Part {...props} />;
    return Meanwhile === undefined ? null : <Meanwhile />;
  }
  return Object.assign(Lazy, { load: loadAll });
}

/** The place of a panel that shows its head only, until it is opened. */
export function FoldedPanel() {
  return (
    <div class="panel" aria-hidden="true">
      <div class="panel-head" />
    </div>
  );
}

type PlaceOptions = { readonly children?: ComponentChildren };

/** The place of a small picture, perhaps with a word in it. */
export function PicturePlace({ children }: PlaceOptions) {
  return <span class="thumb">{children !== undefined && <span class="thumb-mark">{children}</span>}</span>;
}

/** The place of a preview: the picture, a sentence or the audio meter, and buttons. */
export function PreviewPlace() {
  return (
    <div class="preview">
      <PicturePlace />
      <div class="preview-below" />
    </div>
  );
}
