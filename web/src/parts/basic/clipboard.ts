/**
 * Copies a text and returns whether it is in the clipboard. The browser's clipboard needs a secure page and may refuse, but a server in
 * the house is often reached over plain http. The old way needs a selection, which an open dialog allows only inside it: `place` is the
 * element that asks.
 */
export async function copyText(text: string, place: Element | null): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const opener = document.activeElement;
    const area = document.createElement("textarea");
    area.value = text;
    (place?.closest("dialog") ?? document.body).append(area);
    area.select();
    const isCopied = document.execCommand("copy");
    area.remove();
    if (opener instanceof HTMLElement) opener.focus();
    return isCopied;
  }
}
