import { setTimeout as pass } from "node:timers/promises";
import type { NetworkNamespace } from "../../support/processes/network-namespace.ts";

/** What a fault affects. */
export type FaultPlace = {
  readonly namespace: NetworkNamespace;
  readonly port: number;
  /** The target's process is killed, and started again. */
  readonly kill: () => Promise<void>;
  readonly restart: () => Promise<void>;
};

export type MatrixFault = {
  readonly name: string;
  /** How long the target cannot be reached, or is disturbed. */
  readonly seconds: number;
  /** Whether it takes the whole time a stream of this kind must stay on air: it is slow then, never off. */
  readonly staysOnAir: boolean;
  readonly begin: (place: FaultPlace) => Promise<void>;
  readonly end: (place: FaultPlace) => Promise<void>;
};

/** So long the stream is lossy, or slow. */
const LONG_SECONDS = 75;
const KILLED_SECONDS = 3;

const unfilter = ({ namespace }: FaultPlace) => namespace.unfilter();

function loss(percent: number): MatrixFault {
  const rule = `numgen random mod 100 < ${percent} drop`;
  return {
    name: `loss of ${percent} %, both ways`,
    seconds: LONG_SECONDS,
    staysOnAir: percent <= 5,
    begin: ({ namespace }) => namespace.filter({ input: rule, output: rule }),
    end: unfilter,
  };
}

function oneWayDrop(seconds: number): MatrixFault {
  return {
    name: `nothing arrives for ${seconds} s, one way`,
    seconds,
    staysOnAir: seconds < 5,
    begin: ({ namespace, port }) => namespace.filter({ input: `tcp dport ${port} drop` }),
    end: unfilter,
  };
}

function cap(kilobits: number): MatrixFault {
  return {
    name: `${kilobits} kbit/s`,
    seconds: LONG_SECONDS,
    staysOnAir: true,
    begin: ({ namespace }) => namespace.limit(kilobits),
    end: ({ namespace }) => namespace.limit(undefined),
  };
}

export const MATRIX_FAULTS: readonly MatrixFault[] = [
  loss(5),
  loss(20),
  oneWayDrop(3),
  oneWayDrop(15),
  oneWayDrop(60),
  {
    name: "link down for 20 s",
    seconds: 20,
    staysOnAir: false,
    begin: ({ namespace }) => namespace.setLink(false),
    end: ({ namespace }) => namespace.setLink(true),
  },
  {
    name: "connection reset by the target",
    seconds: 0,
    staysOnAir: false,
    begin: ({ namespace, port }) => namespace.resetConnections(port),
    end: () => Promise.resolve(),
  },
  {
    name: `target killed, back after ${KILLED_SECONDS} s`,
    seconds: KILLED_SECONDS,
    staysOnAir: false,
    begin: ({ kill }) => kill(),
    end: ({ restart }) => restart(),
  },
  cap(400),
  cap(250),
  cap(100),
];

/** Starts the fault, at once, and ends it. */
export async function undergo(fault: MatrixFault, place: FaultPlace): Promise<void> {
  await fault.begin(place);
  await pass(fault.seconds * 1_000);
  await fault.end(place);
}
