/** Returns the form that the language's plural rules choose for this number. */
export function plural(
  language: string,
  number: number,
  forms: { readonly one?: string; readonly other: string },
): string {
  return new Intl.PluralRules(language).select(number) === "one" ? (forms.one ?? forms.other) : forms.other;
}
