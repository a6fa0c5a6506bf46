/** How the tabs of this browser tell each other which of them has the focus. */
const CHANNEL = "fanfare-focus";

type FocusMessage = "focus" | "blur";

/** Whether a page of Fanfare has the focus, here or in another tab. Other tabs are heard while it is watched. */
export class FocusWatch {
  readonly #channel = new BroadcastChannel(CHANNEL);
  readonly #onFocused: () => void;
  #isElsewhere = false;

  /** `onFocused` is called when this tab gets the focus. */
  constructor(onFocused: () => void) {
    this.#onFocused = onFocused;
    this.#channel.onmessage = ({ data }: MessageEvent<FocusMessage>) => {
      this.#isElsewhere = data === "focus";
    };
    addEventListener("focus", this.#focus);
    addEventListener("blur", this.#blur);
    addEventListener("pagehide", this.#blur);
  }

  get isFocused(): boolean {
    return document.hasFocus() || this.#isElsewhere;
  }

  close(): void {
    removeEventListener("focus", this.#focus);
    removeEventListener("blur", this.#blur);
    removeEventListener("pagehide", this.#blur);
    this.#channel.close();
  }

  #focus = (): void => {
    this.#isElsewhere = false;
    this.#say("focus");
    this.#onFocused();
  };

  #blur = (): void => this.#say("blur");

  #say(message: FocusMessage): void {
    this.#channel.postMessage(message);
  }
}
