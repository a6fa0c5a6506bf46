import { useSignal } from "@preact/signals";
import type { ComponentChildren, JSX } from "preact";
import { useContext, useId, useMemo, useRef } from "preact/hooks";
import { ApiError } from "../../base/api.ts";
import { t } from "../../text/text.ts";
import { problemText, sayProblem } from "./action.tsx";
import type { Check } from "./field-checks.ts";
import {
  FieldError,
  FormContext,
  type FormProblems,
  focusFirst,
  ownProblems,
  type Problems,
  refusedField,
  settle,
} from "./form-problems.ts";

type FieldIds = { readonly id: string; readonly "aria-describedby"?: string; readonly "aria-invalid"?: true };

type FieldOptions = {
  readonly label: string;
  /** The name of the control, if it can have a problem. */
  readonly name?: string;
  readonly check?: Check | undefined;
  readonly help?: ComponentChildren;
  readonly children: (ids: FieldIds) => ComponentChildren;
};

/** A labelled control with its problem, if it has one, and help below it. */
export function Field({ label, name = "", check, help, children }: FieldOptions) {
  const id = useId();
  const [problemId, helpId] = [`${id}-problem`, `${id}-help`];
  const form = useContext(FormContext);
  if (check !== undefined) form?.checks.set(name, check);
  const problem = form?.problems.value.get(name);
  const isWrong = problem !== undefined && problem.isOver !== true;
  const described = [isWrong ? problemId : "", help === undefined ? "" : helpId].filter((one) => one !== "");
  const ids: FieldIds = {
    id,
    ...(described.length === 0 ? {} : { "aria-describedby": described.join(" ") }),
    ...(isWrong ? { "aria-invalid": true } : {}),
  };
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children(ids)}
      {problem !== undefined && (
        <p class={isWrong ? "problem" : "problem unseen"} id={problemId}>
          {problem.words}
        </p>
      )}
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
  readonly check?: Check;
  readonly input?: JSX.IntrinsicElements["input"];
  /** Lines of a text area. Without it the field is one line. */
  readonly rows?: number;
};

export function TextField(options: TextFieldOptions) {
  const { label, name, help, value = "", isRequired = false, check, input = {}, rows } = options;
  const common = { name, defaultValue: value, required: isRequired, autocomplete: "off", spellcheck: false } as const;
  return (
    <Field label={label} name={name} check={check} help={help}>
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
    <Field label={label} name={name} help={help}>
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
  /** Closes what the form is in: at Cancel, and once its call is done. */
  readonly onClose?: () => void;
  /** Of the button that submits. */
  readonly kind?: "main" | "plain" | "danger";
  /** There is nothing to submit yet. */
  readonly isDisabled?: boolean;
};

/**
 * Returns the text in the control of this name, or "". Where a type has a few texts only, the control must offer no others;
 * the server checks them.
 */
export type Fields = <Value extends string = string>(name: string) => Value;

/** All names and values; of a file its name alone. */
const textOf = (entries: FormData): string => JSON.stringify([...entries]);

/**
 * A form that makes one call. What is wrong with a field is shown beside it, any other refusal below the fields. A second press
 * during the call does nothing. Where a field was changed in between, it makes another call after it, unless the form is closed then.
 */
export function Form({ submit, button, children, onClose, kind = "main", isDisabled = false }: FormOptions) {
  const isBusy = useSignal(false);
  /** What was in the fields at the last press. */
  const pressedWith = useRef("");
  const problem = useSignal("");
  const problems = useSignal<Problems>(new Map());
  const shared = useMemo((): FormProblems => ({ problems, checks: new Map() }), [problems]);
  const show = (form: HTMLFormElement, found: Problems): void => {
    problems.value = found;
    focusFirst(form, found);
  };
  const onSubmit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const form = event.currentTarget;
    if (!(form instanceof HTMLFormElement)) return;
    const entries = new FormData(form);
    const sent = textOf(entries);
    pressedWith.current = sent;
    if (isBusy.value) return;
    const value = ((name) => String(entries.get(name) ?? "")) as Fields;
    problem.value = "";
    const own = ownProblems(form, value, shared.checks);
    if (own.size > 0) return show(form, own);
    problems.value = own;
    isBusy.value = true;
    let isFailed = false;
    try {
      await submit(value);
    } catch (error) {
      const ofField = error instanceof ApiError ? refusedField(form, error) : error;
      // A person closed the dialog during the call.
      if (!form.isConnected) sayProblem(error);
      else if (ofField instanceof FieldError) show(form, new Map([[ofField.control, { words: ofField.message }]]));
      else problem.value = problemText(error);
      isFailed = true;
    }
    isBusy.value = false;
    // A person closed it during the call, and may have opened another one since.
    if (!form.isConnected) return;
    if (!isFailed && onClose !== undefined) onClose();
    else if (pressedWith.current !== sent) form.requestSubmit();
    else if (!isFailed && textOf(new FormData(form)) === sent) settle(form);
  };
  /** A problem is over as soon as the field is changed. Its place stays until the next press, so that nothing moves under the mouse. */
  const onInput = ({ target }: Event): void => {
    const name = target instanceof Element ? (target.getAttribute("name") ?? "") : "";
    const problem = problems.value.get(name);
    if (problem !== undefined && problem.isOver !== true)
      problems.value = new Map([...problems.value, [name, { ...problem, isOver: true }]]);
  };
  return (
    // The page's own words, in its language, in place of the browser's.
    <form class="form" noValidate onInput={onInput} onSubmit={(event) => void onSubmit(event)}>
      <FormContext.Provider value={shared}>{children}</FormContext.Provider>
      <p class="problem" role="alert">
        {problem.value}
      </p>
      <div class="buttons">
        <button type="submit" class={kind === "plain" ? "" : kind} aria-busy={isBusy.value} disabled={isDisabled}>
          {button}
        </button>
        {onClose !== undefined && (
          <button type="button" onClick={onClose}>
            {t().common.cancel}
          </button>
        )}
      </div>
    </form>
  );
}
