import { ObsProgram } from "./obs-program.ts";

const SERVICE_TYPE = "rtmp_custom";

/** Where OBS streams to: a custom server. */
export type ObsService = {
  readonly publishUrl: string;
  readonly streamKey: string;
  /** "Use authentication" of its settings. */
  readonly login?: { readonly id: string; readonly password: string };
};

export type ObsOptions = ObsService & {
  /** Becomes OBS's home: nothing of the user's own is read or written. */
  readonly folder: string;
  /** After how long it connects again by itself, in seconds; default never. */
  readonly retrySeconds?: number;
};

/** OBS Studio, streaming: 640x360 at 30 frames a second and 400 kbit/s with a keyframe each 2 s, AAC 48 kHz stereo. */
export class ObsEncoder {
  readonly #program: ObsProgram;

  private constructor(program: ObsProgram) {
    this.#program = program;
  }

  /** Starts OBS on a virtual screen; resolves once it reports that it streams. */
  static async start({ folder, retrySeconds, ...to }: ObsOptions): Promise<ObsEncoder> {
    const colour = { color: 0xff00ff00, width: 640, height: 360 };
    const program = await ObsProgram.start({
      folder,
      source: { id: "color_source", versionedId: "color_source_v3", settings: colour },
      service: { type: SERVICE_TYPE, settings: serviceSettings(to) },
      args: ["--startstreaming"],
      ...(retrySeconds === undefined ? {} : { retrySeconds }),
    });
    await program.says("==== Streaming Start").catch(async (error: unknown) => {
      await program.kill();
      throw error;
    });
    return new ObsEncoder(program);
  }

  /**
   * Streams again, to this server and as this user, as the settings and the button do it. Resolves before the result is
   * known.
   */
  async startStreaming(to: ObsService): Promise<void> {
    const service = { streamServiceType: SERVICE_TYPE, streamServiceSettings: serviceSettings(to) };
    await this.#program.request("SetStreamServiceSettings", service);
    await this.#program.request("StartStream");
  }

  /** Stops as the button does: OBS sends the commands of a clean stop. Resolves once it has stopped. */
  async stopStreaming(): Promise<void> {
    await this.#program.request("StopStream");
    await this.#program.says("==== Streaming Stop");
  }

  /** Kills it as a crash would. Idempotent. */
  async kill(): Promise<void> {
    await this.#program.kill();
  }

  /** Waits until OBS has written this text. */
  async says(text: string): Promise<void> {
    await this.#program.says(text);
  }
}

function serviceSettings({ publishUrl, streamKey, login }: ObsService) {
  const settings = { server: publishUrl, key: streamKey };
  if (login === undefined) return { ...settings, use_auth: false };
  return { ...settings, use_auth: true, username: login.id, password: login.password };
}
