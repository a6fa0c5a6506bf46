import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Child, startChild } from "../processes/children.ts";
import { freePort } from "../processes/free-port.ts";
import { waitFor } from "../processes/waiting.ts";

const START_DEADLINE_MS = 60_000;
const STOP_GRACE_MS = 1_000;
const NAME = "Fanfare";
const SERVICE_TYPE = "rtmp_custom";
/** obs-websocket 5: messages are `{op, d}`. */
const Op = { Identify: 1, Identified: 2, Request: 6, Response: 7 } as const;

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
  readonly #screen: Child;
  readonly #obs: Child;
  readonly #controlPort: number;

  private constructor(screen: Child, obs: Child, controlPort: number) {
    this.#screen = screen;
    this.#obs = obs;
    this.#controlPort = controlPort;
  }

  /** Starts OBS on a virtual screen; resolves once it reports that it streams. */
  static async start(options: ObsOptions): Promise<ObsEncoder> {
    const controlPort = await freePort();
    const home = join(options.folder, "obs");
    await prepareHome(home, options, controlPort);
    const screen = await startChild("Xvfb", ["-displayfd", "1", "-screen", "0", "1024x768x24", "-nolisten", "tcp"]);
    try {
      const display = await waitFor("the screen", START_DEADLINE_MS, () => /^\d+\n/.exec(screen.stdout())?.[0].trim());
      const args = ["--startstreaming", "--minimize-to-tray", "--multi", "--disable-updater"];
      const env = {
        PATH: process.env["PATH"],
        LANG: "C.UTF-8",
        HOME: home,
        XDG_CONFIG_HOME: join(home, ".config"),
        XDG_RUNTIME_DIR: join(home, "run"),
        DISPLAY: `:${display}`,
        LIBGL_ALWAYS_SOFTWARE: "1",
      };
      const obs = await startChild("obs", args, { env });
      const encoder = new ObsEncoder(screen, obs, controlPort);
      await encoder.says("==== Streaming Start").catch(async (error: unknown) => {
        await encoder.kill();
        throw error;
      });
      return encoder;
    } catch (error) {
      await screen.stop("SIGKILL", STOP_GRACE_MS);
      throw error;
    }
  }

  /**
   * Streams again, to this server and as this user, as the settings and the button do it. Resolves before the result is
   * known.
   */
  async startStreaming(to: ObsService): Promise<void> {
    const service = { streamServiceType: SERVICE_TYPE, streamServiceSettings: serviceSettings(to) };
    await requestOfObs(this.#controlPort, "SetStreamServiceSettings", service);
    await requestOfObs(this.#controlPort, "StartStream");
  }

  /** Stops as the button does: OBS sends the commands of a clean stop. Resolves once it has stopped. */
  async stopStreaming(): Promise<void> {
    await requestOfObs(this.#controlPort, "StopStream");
    await this.says("==== Streaming Stop");
  }

  /** Kills it as a crash would. Idempotent. */
  async kill(): Promise<void> {
    await this.#obs.stop("SIGKILL", STOP_GRACE_MS);
    await this.#screen.stop("SIGKILL", STOP_GRACE_MS);
  }

  /** Waits until OBS has written this text. */
  async says(text: string): Promise<void> {
    const said = () => `${this.#obs.stdout()}${this.#obs.stderr()}`;
    await waitFor(
      `OBS to say "${text}"`,
      START_DEADLINE_MS,
      () => {
        if (!this.#obs.isRunning()) throw new Error(`OBS ended:\n${said().slice(-2_000)}`);
        return said().includes(text) ? true : undefined;
      },
      () => said().slice(-2_000),
    );
  }
}

/** Sends one request to obs-websocket and waits for its reply. */
function requestOfObs(port: number, requestType: string, requestData: object = {}): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}`);
    socket.onerror = () => reject(new Error("obs-websocket cannot be reached"));
    socket.onmessage = ({ data }) => {
      const { op, d } = JSON.parse(String(data));
      if (op === 0) socket.send(JSON.stringify({ op: Op.Identify, d: { rpcVersion: 1 } }));
      if (op === Op.Identified)
        socket.send(JSON.stringify({ op: Op.Request, d: { requestType, requestId: "1", requestData } }));
      if (op !== Op.Response) return;
      socket.close();
      if (d.requestStatus.result === true) resolve();
      else reject(new Error(`${requestType}: ${JSON.stringify(d.requestStatus)}`));
    };
  });
}

const sections = (parts: Readonly<Record<string, Readonly<Record<string, string | number>>>>): string =>
  Object.entries(parts)
    .map(([name, values]) => [`[${name}]`, ...Object.entries(values).map((pair) => pair.join("=")), ""].join("\n"))
    .join("\n");

function serviceSettings({ publishUrl, streamKey, login }: ObsService) {
  const settings = { server: publishUrl, key: streamKey };
  if (login === undefined) return { ...settings, use_auth: false };
  return { ...settings, use_auth: true, username: login.id, password: login.password };
}

function reconnecting({ retrySeconds }: ObsOptions) {
  return retrySeconds === undefined
    ? { Reconnect: "false" }
    : { Reconnect: "true", RetryDelay: retrySeconds, MaxRetries: 25 };
}

/** The files that OBS would have written after a person set it up: without a scene file it does not start streaming. */
async function prepareHome(home: string, options: ObsOptions, controlPort: number): Promise<void> {
  const config = join(home, ".config", "obs-studio");
  const profile = join(config, "basic", "profiles", NAME);
  await mkdir(profile, { recursive: true });
  await mkdir(join(config, "basic", "scenes"), { recursive: true });
  await mkdir(join(home, "run"), { mode: 0o700 });
  const global = {
    General: { FirstRun: "true", EnableAutoUpdates: "false" },
    Basic: { Profile: NAME, ProfileDir: NAME, SceneCollection: NAME, SceneCollectionFile: NAME },
    OBSWebSocket: { FirstLoad: "false", ServerEnabled: "true", AuthRequired: "false", ServerPort: controlPort },
  };
  const basic = {
    General: { Name: NAME },
    Video: { BaseCX: 640, BaseCY: 360, OutputCX: 640, OutputCY: 360, FPSCommon: 30 },
    Audio: { SampleRate: 48_000, ChannelSetup: "Stereo" },
    Output: { Mode: "Simple", ...reconnecting(options) },
    SimpleOutput: {
      VBitrate: 400,
      ABitrate: 96,
      StreamEncoder: "x264",
      UseAdvanced: "true",
      Preset: "ultrafast",
      x264Settings: "keyint=60",
    },
  };
  const colour = { color: 0xff00ff00, width: 640, height: 360 };
  const place = { name: "Colour", id: 1, visible: true, pos: { x: 0, y: 0 }, scale: { x: 1, y: 1 }, align: 5 };
  const scene = {
    name: NAME,
    current_scene: "Scene",
    current_program_scene: "Scene",
    scene_order: [{ name: "Scene" }],
    sources: [
      { id: "color_source", versioned_id: "color_source_v3", name: "Colour", settings: colour },
      { id: "scene", versioned_id: "scene", name: "Scene", settings: { id_counter: 1, items: [place] } },
    ],
  };
  await writeFile(join(config, "global.ini"), sections(global));
  await writeFile(join(profile, "basic.ini"), sections(basic));
  await writeFile(
    join(profile, "service.json"),
    JSON.stringify({ type: SERVICE_TYPE, settings: serviceSettings(options) }),
  );
  await writeFile(join(config, "basic", "scenes", `${NAME}.json`), JSON.stringify(scene));
}
