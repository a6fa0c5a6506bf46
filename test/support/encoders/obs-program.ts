import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Child, startChild } from "../processes/children.ts";
import { freePort } from "../processes/free-port.ts";
import { waitFor } from "../processes/waiting.ts";

const START_DEADLINE_MS = 60_000;
const STOP_GRACE_MS = 1_000;
const NAME = "Fanfare";
/** The name of what the scene shows. */
const SOURCE = "Source";
/** obs-websocket 5: messages are `{op, d}`. */
const Op = { Identify: 1, Identified: 2, Request: 6, Response: 7 } as const;

type ObsSource = { readonly id: string; readonly versionedId?: string; readonly settings: object };

export type ObsProgramOptions = {
  /** Becomes OBS's home: nothing of the user's own is read or written. */
  readonly folder: string;
  /** What the only scene shows, 640x360. */
  readonly source: ObsSource;
  /** The file `service.json`: where it streams to. */
  readonly service?: object;
  readonly args?: readonly string[];
  /** After how long it connects again by itself, in seconds; default never. */
  readonly retrySeconds?: number;
};

/** OBS Studio on a virtual screen, with one scene: 640x360 at 30 frames a second. */
export class ObsProgram {
  readonly #screen: Child;
  readonly #obs: Child;
  readonly #controlPort: number;

  private constructor(screen: Child, obs: Child, controlPort: number) {
    this.#screen = screen;
    this.#obs = obs;
    this.#controlPort = controlPort;
  }

  static async start(options: ObsProgramOptions): Promise<ObsProgram> {
    const controlPort = await freePort();
    const home = join(options.folder, "obs");
    await prepareHome(home, options, controlPort);
    const screen = await startChild("Xvfb", ["-displayfd", "1", "-screen", "0", "1024x768x24", "-nolisten", "tcp"]);
    try {
      const display = await waitFor("the screen", START_DEADLINE_MS, () => /^\d+\n/.exec(screen.stdout())?.[0].trim());
      const args = [...(options.args ?? []), "--minimize-to-tray", "--multi", "--disable-updater"];
      const env = {
        PATH: process.env["PATH"],
        LANG: "C.UTF-8",
        HOME: home,
        XDG_CONFIG_HOME: join(home, ".config"),
        XDG_RUNTIME_DIR: join(home, "run"),
        DISPLAY: `:${display}`,
        LIBGL_ALWAYS_SOFTWARE: "1",
      };
      return new ObsProgram(screen, await startChild("obs", args, { env }), controlPort);
    } catch (error) {
      await screen.stop("SIGKILL", STOP_GRACE_MS);
      throw error;
    }
  }

  /** Sends a request to obs-websocket. Resolves with its reply; rejects where OBS refuses. */
  async request(type: string, data: object = {}): Promise<unknown> {
    return await requestOfObs(this.#controlPort, type, data);
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

/** Sends one request to obs-websocket. Resolves with its reply. */
function requestOfObs(port: number, requestType: string, requestData: object): Promise<unknown> {
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
      if (d.requestStatus.result === true) resolve(d.responseData);
      else reject(new Error(`${requestType}: ${JSON.stringify(d.requestStatus)}`));
    };
  });
}

const sections = (parts: Readonly<Record<string, Readonly<Record<string, string | number>>>>): string =>
  Object.entries(parts)
    .map(([name, values]) => [`[${name}]`, ...Object.entries(values).map((pair) => pair.join("=")), ""].join("\n"))
    .join("\n");

function reconnecting({ retrySeconds }: ObsProgramOptions) {
  return retrySeconds === undefined
    ? { Reconnect: "false" }
    : { Reconnect: "true", RetryDelay: retrySeconds, MaxRetries: 25 };
}

/** The files that OBS would have written after a person set it up: without a scene file it does not start streaming. */
async function prepareHome(home: string, options: ObsProgramOptions, controlPort: number): Promise<void> {
  const { source, service } = options;
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
  const place = { name: SOURCE, id: 1, visible: true, pos: { x: 0, y: 0 }, scale: { x: 1, y: 1 }, align: 5 };
  const scene = {
    name: NAME,
    current_scene: "Scene",
    current_program_scene: "Scene",
    scene_order: [{ name: "Scene" }],
    sources: [
      { id: source.id, versioned_id: source.versionedId ?? source.id, name: SOURCE, settings: source.settings },
      { id: "scene", versioned_id: "scene", name: "Scene", settings: { id_counter: 1, items: [place] } },
    ],
  };
  await writeFile(join(config, "global.ini"), sections(global));
  await writeFile(join(profile, "basic.ini"), sections(basic));
  if (service !== undefined) await writeFile(join(profile, "service.json"), JSON.stringify(service));
  await writeFile(join(config, "basic", "scenes", `${NAME}.json`), JSON.stringify(scene));
}
