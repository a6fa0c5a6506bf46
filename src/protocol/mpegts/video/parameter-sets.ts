import { avcRecord, hevcRecord } from "./config-records.ts";
import { UnitKind } from "./unit-kind.ts";

type SetKind = typeof UnitKind.Vps | typeof UnitKind.Sps | typeof UnitKind.Pps;

/** Sets of one kind in one frame; real streams have one, rarely a handful. */
const SETS_MAX = 8;
/** Real parameter sets have some tens of bytes. */
const SET_BYTES_MAX = 4_096;

/** The parameter sets of one video track, and the configuration record that they make. */
export class ParameterSets {
  readonly #codec: "avc" | "hevc";
  #known: ReadonlyMap<SetKind, readonly Buffer[]> = new Map();
  readonly #found = new Map<SetKind, Buffer[]>();
  #record: Buffer | undefined;

  constructor(codec: "avc" | "hevc") {
    this.#codec = codec;
  }

  /** The record of the sets in use; undefined until all kinds have come. */
  get record(): Buffer | undefined {
    return this.#record;
  }

  /** Notes a set of the present frame, which is lent. */
  note(kind: SetKind, set: Buffer): void {
    if (set.length > SET_BYTES_MAX) return;
    const found = this.#found.get(kind) ?? [];
    if (found.length >= SETS_MAX || found.some((each) => each.equals(set))) return;
    this.#found.set(kind, [...found, Buffer.from(set)]);
  }

  /** Whether every set of the present frame is in use. */
  get isKnown(): boolean {
    for (const [kind, sets] of this.#found) {
      const known = this.#known.get(kind) ?? [];
      if (!sets.every((set) => known.some((each) => each.equals(set)))) return false;
    }
    return true;
  }

  /** Takes the sets of the present frame into use; returns the record if it is new. */
  adopt(): Buffer | undefined {
    if (this.#found.size === 0 || (this.#record !== undefined && this.isKnown)) return undefined;
    const sets = new Map<SetKind, readonly Buffer[]>([...this.#known, ...this.#found]);
    const of = (kind: SetKind) => sets.get(kind) ?? [];
    const [vps, sps, pps] = [of(UnitKind.Vps), of(UnitKind.Sps), of(UnitKind.Pps)];
    const record = this.#codec === "avc" ? avcRecord(sps, pps) : hevcRecord(vps, sps, pps);
    this.#known = sets;
    if (record === undefined || this.#record?.equals(record) === true) return undefined;
    this.#record = record;
    return record;
  }

  /** The next frame begins. */
  startFrame(): void {
    this.#found.clear();
  }
}
