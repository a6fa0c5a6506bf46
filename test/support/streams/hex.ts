/** Bytes written as hexadecimal digits, with any white space between them. */
export const hex = (text: string): Buffer => Buffer.from(text.replace(/\s/g, ""), "hex");
