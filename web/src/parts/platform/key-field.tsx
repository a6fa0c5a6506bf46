import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { tidyStreamKey } from "../../../../src/api-contract/input/input-notes.ts";
import { noteText } from "../basic/notice.tsx";
import { SecretField } from "../basic/secret-field.tsx";

type KeyFieldOptions = {
  readonly label: string;
  readonly value?: string | undefined;
  readonly help?: ComponentChildren;
  /** The server's address, if it is known before the form is sent. */
  readonly server?: string | undefined;
};

/** A platform's stream key. Shows at once what the server will remove from a pasted key. */
export function KeyField({ label, value = "", help, server = "" }: KeyFieldOptions) {
  const typed = useSignal(value);
  const { notes } = tidyStreamKey(typed.value, server);
  return (
    <>
      <SecretField
        label={label}
        name="streamKey"
        value={value}
        help={help}
        isRequired
        onType={(key) => (typed.value = key)}
        tidy={(key) => tidyStreamKey(key, server).text || key}
      />
      <div role="status">
        {notes.map((note) => (
          <p key={note.code} class="help">
            {noteText(note)}
          </p>
        ))}
      </div>
    </>
  );
}
