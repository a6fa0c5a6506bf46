import { useSignal } from "@preact/signals";
import type { ComponentChildren, JSX } from "preact";
import { useId } from "preact/hooks";
import { t } from "../../text/text.ts";
import { problemText } from "./action.tsx";

type FieldOptions = {
  readonly label: string;
  readonly help?: ComponentChildren;
  readonly children: (ids: { readonly id: string; readonly "aria-describedby"?: string }) => ComponentChildren;
};

/** A labelled control with help below it. */
export function Field({ label, help, children }: FieldOptions) {
  const id = useId();
  const helpId = `${id}-help`;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children(help === undefined ? { id } : { id, "aria-describedby": helpId })}
      {help !== undefined && (
        <p class="help" id={helpId}>
          {help}
        </p>
      )}
    </div>
  );
}

type TextFieldOptions = {
  readonly label: string;
  readonly name: string;
  readonly help?: ComponentChildren;
  readonly value?: string | undefined;
  readonly isRequired?: boolean;
  readonly input?: JSX.IntrinsicElements["input"];
  /** Lines of a text area. Without it the field is one line. */
  readonly rows?: number;
};

export function TextField({ label, name, help, value = "", isRequired = false, input = {}, rows }: TextFieldOptions) {
  const common = { name, defaultValue: value, required: isRequired, autocomplete: "off", spellcheck: false } as const;
  return (
    <Field label={label} help={help}>
      {(ids) =>
        rows === undefined ? <input {...ids} {...common} {...input} /> : <textarea {...ids} {...common} rows={rows} />
      }
    </Field>
  );
}

/** The label of a field that may stay empty. */
export const optionalLabel = (label: string): string => `${label} (${t().common.optional})`;

type SelectFieldOptions = {
  readonly label: string;
  readonly name: string;
  readonly help?: string | undefined;
  readonly value: string;
  readonly options: readonly (readonly [value: string, text: string])[];
};

export function SelectField({ label, name, help, value, options }: SelectFieldOptions) {
  return (
    <Field label={label} help={help}>
      {(ids) => (
        <select {...ids} name={name}>
          {options.map(([option, text]) => (
            <option key={option} value={option} selected={option === value}>
              {text}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

type FormOptions = {
  readonly submit: (fields: Fields) => Promise<unknown>;
  readonly button: string;
  readonly children: ComponentChildren;
  readonly onCancel?: () => void;
  readonly isPlain?: boolean;
  /** There is nothing to submit yet. */
  readonly isDisabled?: boolean;
};

/** Returns the text typed into the control of this name, or "". */
export type Fields = (name: string) => string;

/** A form that makes one call. A refusal is shown in it. */
export function Form({ submit, button, children, onCancel, isPlain = false, isDisabled = false }: FormOptions) {
  const isBusy = useSignal(false);
  const problem = useSignal("");
  const onSubmit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    if (isBusy.value || !(event.currentTarget instanceof HTMLFormElement)) return;
    const entries = new FormData(event.currentTarget);
    isBusy.value = true;
    problem.value = "";
    try {
      await submit((name) => String(entries.get(name) ?? ""));
    } catch (error) {
      problem.value = problemText(error);
    }
    isBusy.value = false;
  };
  return (
    <form class="form" onSubmit={(event) => void onSubmit(event)}>
      {children}
      <p class="problem" role="alert">
        {problem.value}
      </p>
      <div class="buttons">
        <button type="submit" class={isPlain ? "" : "main"} aria-busy={isBusy.value} disabled={isDisabled}>
          {button}
        </button>
        {onCancel !== undefined && (
          <button type="button" onClick={onCancel}>
            {t().common.cancel}
          </button>
        )}
      </div>
    </form>
  );
}
