import { createDecipheriv, createECDH, type ECDH, hkdfSync, randomBytes } from "node:crypto";

/** What a browser asks for: to hear of whatever breaks. */
const RULES = {
  language: "en",
  scope: "all",
  channelIds: [],
  labels: [],
  severities: ["broken"],
  isQuietInFocus: true,
};

/** A subscribed browser: its keys, and a function that reads a message as the browser would (RFC 8291 §3.4). */
export class PushBrowser {
  readonly #ecdh: ECDH = createECDH("prime256v1");
  readonly #auth: Buffer;
  readonly endpoint: string;

  constructor(endpoint: string, auth: Buffer = randomBytes(16), privateKey?: Buffer) {
    this.endpoint = endpoint;
    this.#auth = auth;
    if (privateKey === undefined) this.#ecdh.generateKeys();
    else this.#ecdh.setPrivateKey(privateKey);
  }

  get keys() {
    return { p256dh: this.#ecdh.getPublicKey("base64url"), auth: this.#auth.toString("base64url") };
  }

  /** The body with which it subscribes. `change`: what is not as usual. */
  subscription(change: object = {}): object {
    const { endpoint, keys } = this;
    return { endpoint, keys, ...RULES, ...change };
  }

  /** Decrypts a body. Throws where it was not encrypted for this browser. */
  decrypt(body: Uint8Array): string {
    const bytes = Buffer.from(body);
    const salt = bytes.subarray(0, 16);
    const idLength = bytes.readUInt8(20);
    const sender = bytes.subarray(21, 21 + idLength);
    const record = bytes.subarray(21 + idLength);
    const info = Buffer.concat([Buffer.from("WebPush: info\0"), this.#ecdh.getPublicKey(), sender]);
    const material = Buffer.from(hkdfSync("sha256", this.#ecdh.computeSecret(sender), this.#auth, info, 32));
    const derived = (purpose: string, length: number) =>
      Buffer.from(hkdfSync("sha256", material, salt, `Content-Encoding: ${purpose}\0`, length));
    const opener = createDecipheriv("aes-128-gcm", derived("aes128gcm", 16), derived("nonce", 12));
    opener.setAuthTag(record.subarray(-16));
    const padded = Buffer.concat([opener.update(record.subarray(0, -16)), opener.final()]);
    if (padded.at(-1) !== 2) throw new Error("the record is not the last one");
    return padded.subarray(0, -1).toString();
  }
}
