/** Has the browser download what is at this address, by this name. */
export function saveAs(url: string, name: string): void {
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
}

/** Has the browser download this text as a file. */
export function saveText(text: string, type: string, name: string): void {
  const url = URL.createObjectURL(new Blob([text], { type }));
  saveAs(url, name);
  URL.revokeObjectURL(url);
}

/** The same as JSON that people can read. */
export const saveJson = (value: unknown, name: string): void =>
  saveText(`${JSON.stringify(value, null, 2)}\n`, "application/json", name);
