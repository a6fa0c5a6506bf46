import type { Signal } from "@preact/signals";
import { createContext } from "preact";
import { type ApiError, fieldOf } from "../../base/api.ts";
import { language, t } from "../../text/text.ts";
import type { Check } from "./field-checks.ts";

/** What is wrong with a field. `isOver`: it was changed since. */
type Problem = { readonly words: string; readonly isOver?: true };
/** By the name of the control. */
export type Problems = ReadonlyMap<string, Problem>;

/** What a form's fields share: the problem of each, and how each is checked. */
export type FormProblems = {
  readonly problems: Signal<Problems>;
  readonly checks: Map<string, Check>;
};

export const FormContext = createContext<FormProblems | undefined>(undefined);

/** A problem with one field, found while the form was being submitted. */
export class FieldError extends Error {
  override readonly name = "FieldError";
  readonly control: string;

  constructor(control: string, words: string) {
    super(words);
    this.control = control;
  }
}

/** The control of a field of the API, where it has another name. */
const CONTROLS: Readonly<Record<string, string>> = {
  "hold.seconds": "hold",
  "freeze.mediaSeconds": "freezeMedia",
  "freeze.videoSeconds": "freezeVideo",
  "ingestAuth.id": "ingestId",
  "ingestAuth.password": "ingestPassword",
  "tracks.video": "videoTrack",
  "tracks.audio": "audioTrack",
  "tls.ca": "ca",
  "tls.fingerprint": "fingerprint",
  streamId: "id",
  streamPassword: "password",
  callbackEndpoint: "callbackUrl",
};

type Control = HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement;

const isControl = (element: Element): element is Control =>
  element instanceof HTMLInputElement || element instanceof HTMLSelectElement || element instanceof HTMLTextAreaElement;

const controlsOf = (form: HTMLFormElement): readonly Control[] =>
  [...form.elements].filter(isControl).filter(({ name, type }) => name !== "" && type !== "radio");

/** What is wrong with what was typed, by the names of the controls, before anything is sent. */
export function ownProblems(
  form: HTMLFormElement,
  value: (name: string) => string,
  checks: FormProblems["checks"],
): Problems {
  const found = controlsOf(form).flatMap((control) => {
    const words = ownProblem(control, value(control.name), checks.get(control.name));
    return words === undefined ? [] : [[control.name, { words }] as const];
  });
  return new Map(found);
}

function ownProblem(control: Control, value: string, check: Check | undefined): string | undefined {
  const { problems } = t();
  if (control instanceof HTMLInputElement) {
    const { validity, minLength } = control;
    // A number that cannot be read is an empty value.
    if (validity.badInput || validity.rangeUnderflow || validity.rangeOverflow || validity.stepMismatch) {
      return check?.(value) ?? problems.wholeNumber(control.min, control.max);
    }
    if (minLength > 0 && value !== "" && value.length < minLength) return problems.tooShort(minLength);
  }
  if (control.required && value === "") return problems.missing;
  return check?.(value);
}

/** Which field of the form the server's refusal is about, and what is wrong with it; undefined if it is about none of them. */
export function refusedField(form: HTMLFormElement, error: ApiError): FieldError | undefined {
  const field = fieldOf(error)?.replace(/^restream\[\d+\]\./, "");
  if (field === undefined) return undefined;
  const name = CONTROLS[field] ?? field.replace(/^labels(\[\d+\])?$/, "label");
  if (!controlsOf(form).some((control) => control.name === name)) return undefined;
  return new FieldError(name, error.hint?.[language.value] ?? t().problems.wrong);
}

/**
 * Called when what is in the fields was saved: they are as if nobody had typed, so that they follow what others change, and
 * the next save does not undo that. Passwords leave the page.
 */
export function settle(form: HTMLFormElement): void {
  for (const control of form.elements) {
    if (!isControl(control) || control.closest(".secret-field") !== null) continue;
    if (control instanceof HTMLSelectElement) {
      for (const option of control.options) option.defaultSelected = option.selected;
      continue;
    }
    control.defaultValue = control.value;
    if (control instanceof HTMLInputElement) control.defaultChecked = control.checked;
  }
  form.reset();
}

/** Moves the focus to the first field with a problem, and unfolds what it is in. */
export function focusFirst(form: HTMLFormElement, problems: Problems): void {
  const first = controlsOf(form).find(({ name }) => problems.has(name));
  const folded = first?.closest("details");
  if (folded !== null && folded !== undefined) folded.open = true;
  first?.focus();
}
