import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { Icon } from "../basic/icon.tsx";

/** One entry: an action, or a link to a page of somebody else, which opens in a new tab. */
export type MenuEntry = { readonly text: string } & (
  | { readonly run: () => void; readonly isDanger?: boolean }
  | { readonly href: string }
);

type MenuOptions = { readonly label: string; readonly entries: readonly MenuEntry[] };

/** Where the focus goes from entry `at` of `count`. Undefined: the key is not one of a menu. */
function nextEntry(key: string, at: number, count: number): number | undefined {
  switch (key) {
    case "ArrowDown":
      return (at + 1) % count;
    case "ArrowUp":
      return (at + count - 1) % count;
    case "Home":
      return 0;
    case "End":
      return count - 1;
    default:
      return undefined;
  }
}

/**
 * A button with three dots that opens a list of actions and links. Arrow keys, Home and End move in the list. Escape and Tab close it;
 * Escape returns the focus to the button. A press elsewhere closes it too.
 */
export function Menu({ label, entries }: MenuOptions) {
  const isOpen = useSignal(false);
  const place = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const items = (): readonly HTMLElement[] => [
    ...(place.current?.querySelectorAll<HTMLElement>('[role="menuitem"]') ?? []),
  ];
  const close = (): void => {
    isOpen.value = false;
    button.current?.focus();
  };
  const first = useRef(0);
  useEffect(() => {
    if (!isOpen.value) return;
    items().at(first.current)?.focus();
    const pressedElsewhere = ({ target }: PointerEvent): void => {
      if (!(target instanceof Node) || place.current?.contains(target) !== true) isOpen.value = false;
    };
    document.addEventListener("pointerdown", pressedElsewhere);
    return () => document.removeEventListener("pointerdown", pressedElsewhere);
  }, [isOpen.value]);
  const open = (at: number): void => {
    first.current = at;
    isOpen.value = true;
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (!isOpen.value) {
      if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
      event.preventDefault();
      return open(event.key === "ArrowDown" ? 0 : -1);
    }
    if (event.key === "Tab") isOpen.value = false;
    const all = items();
    const focused = document.activeElement;
    const at = focused instanceof HTMLElement ? all.indexOf(focused) : -1;
    const next = nextEntry(event.key, at, all.length);
    if (next === undefined && event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    if (next === undefined) close();
    else all[next]?.focus();
  };
  return (
    <div class="menu" ref={place}>
      <button
        ref={button}
        type="button"
        class="plain"
        aria-label={label}
        aria-haspopup="menu"
        aria-expanded={isOpen.value}
        onClick={() => (isOpen.value ? close() : open(0))}
        onKeyDown={onKeyDown}
      >
        <Icon name="more" />
      </button>
      {isOpen.value && (
        <div class="menu-list" role="menu" tabIndex={-1} aria-label={label} onKeyDown={onKeyDown}>
          {entries.map((entry) => (
            <MenuItem key={entry.text} entry={entry} onChosen={close} />
          ))}
        </div>
      )}
    </div>
  );
}

function MenuItem({ entry, onChosen }: { readonly entry: MenuEntry; readonly onChosen: () => void }) {
  if ("href" in entry) {
    return (
      <a role="menuitem" tabIndex={-1} href={entry.href} target="_blank" rel="noopener noreferrer" onClick={onChosen}>
        {entry.text} <Icon name="out" />
      </a>
    );
  }
  const choose = (): void => {
    // The focus first: a dialog that opens returns it to where it was.
    onChosen();
    entry.run();
  };
  return (
    <button
      type="button"
      role="menuitem"
      tabIndex={-1}
      class={entry.isDanger === true ? "danger" : ""}
      onClick={choose}
    >
      {entry.text}
    </button>
  );
}
