import { type ContractError, serviceError } from "../errors.ts";
import { isMaskedAddress, isMaskedPassword, maskAddress, maskPassword } from "../masks.ts";
import { WHOLE_ADDRESS_RULE } from "./address-form.ts";
import { hintOf } from "./hints.ts";
import { WHOLE_TEXT_RULE } from "./text-rules.ts";

type Given = string | null | undefined;

/** What a change sets; undefined where the present value stays. */
type Changed = { readonly value: string | undefined } | { readonly error: ContractError };

/**
 * The password that a change sets. The present one stays where none is given, or its mask, which was copied from an answer.
 * The mask of another one breaks `rule`.
 */
export function changedPassword(
  field: string,
  given: Given,
  present: string | undefined,
  rule: string = WHOLE_TEXT_RULE,
): Changed {
  const isKept = given == null || (present !== undefined && present !== "" && given === maskPassword(present));
  if (isKept) return { value: undefined };
  return isMaskedPassword(given) ? wrongValue(field, rule) : { value: given };
}

/** The same of an address that every answer shortens. */
export function changedAddress(field: string, given: Given, present: string): Changed {
  if (given == null || given === maskAddress(present)) return { value: undefined };
  return isMaskedAddress(given) ? wrongValue(field, WHOLE_ADDRESS_RULE) : { value: given };
}

function wrongValue(field: string, rule: string): { readonly error: ContractError } {
  return { error: serviceError("INVALID_FORMAT", field, `${field}: expected ${rule}.`, hintOf(rule)) };
}
