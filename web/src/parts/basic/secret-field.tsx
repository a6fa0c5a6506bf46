import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { CopyButton, ShowButton } from "./copy.tsx";
import type { Check } from "./field-checks.ts";
import { Field } from "./form.tsx";

type SecretFieldOptions = {
  readonly label: string;
  readonly name: string;
  readonly help?: ComponentChildren;
  /** The value that the server has. It is in the form's data, but not in the page, until a person shows it or types another. */
  readonly value?: string | undefined;
  /** The value is only a mask, which the server takes for "unchanged": there is nothing to show or copy. */
  readonly isMask?: boolean;
  readonly isRequired?: boolean;
  readonly check?: Check;
  readonly onType?: (value: string) => void;
  /** What becomes of a pasted text: the field shows it at once. */
  readonly tidy?: (value: string) => string;
  readonly input?: {
    readonly autocomplete?: "current-password";
    readonly autofocus?: boolean;
    readonly minLength?: number;
  };
};

/** A key or password: masked, with a button that shows it and, if the server has one, a button that copies it. */
export function SecretField(options: SecretFieldOptions) {
  const {
    label,
    name,
    help,
    value = "",
    isMask = false,
    isRequired = false,
    check,
    onType,
    tidy,
    input = {},
  } = options;
  const element = useRef<HTMLInputElement>(null);
  const isShown = useSignal(false);
  /** Whether the input has the field's value: it was shown or typed. */
  const isFilled = useSignal(value === "");
  const current = (): string => (isFilled.peek() ? (element.current?.value ?? "") : value);
  useEffect(() => {
    const form = element.current?.form;
    const add = ({ formData }: FormDataEvent): void => formData.set(name, current());
    form?.addEventListener("formdata", add);
    return () => form?.removeEventListener("formdata", add);
  }, [name, value]);
  const show = (): void => {
    if (element.current !== null && !isFilled.value) element.current.value = value;
    isFilled.value = true;
    isShown.value = true;
  };
  const hide = (): void => {
    // A value that nobody changed leaves the page again.
    if (element.current !== null && value !== "" && element.current.value === value) {
      element.current.value = "";
      isFilled.value = false;
    }
    isShown.value = false;
  };
  return (
    <Field label={label} name={name} check={check} help={help}>
      {(ids) => (
        <div class="secret-field">
          <input
            {...ids}
            ref={element}
            name={name}
            {...(isShown.value ? ({ type: "text" } as const) : ({ type: "password" } as const))}
            required={isRequired && isFilled.value}
            placeholder={isFilled.value ? "" : "•".repeat(12)}
            autocomplete="new-password"
            spellcheck={false}
            {...input}
            onInput={(event) => {
              isFilled.value = true;
              const field = event.currentTarget;
              onType?.(field.value);
              if (event.inputType === "insertFromPaste" && tidy !== undefined) field.value = tidy(field.value);
            }}
          />
          {(!isMask || isFilled.value) && (
            <ShowButton label={label} isShown={isShown.value} onToggle={isShown.value ? hide : show} />
          )}
          {value !== "" && !isMask && (
            <CopyButton
              label={label}
              value={current}
              onRefused={() => {
                show();
                element.current?.select();
              }}
            />
          )}
        </div>
      )}
    </Field>
  );
}
