import { z } from "zod";
import type { SharedServices } from "../support/cluster/shared-services.ts";

const NOTE_CLAIMS = `
  create table lab_claim (
    no bigint generated always as identity primary key,
    channel_id text not null, epoch bigint not null, incarnation bigint not null
  );
  create function lab_note_claim() returns trigger language plpgsql as $$ begin
    if new.incarnation is not null then
      insert into lab_claim (channel_id, epoch, incarnation) values (new.channel_id, new.epoch, new.incarnation);
    end if;
    return new;
  end $$;
  create trigger lab_note_claim after insert or update on channel_owner for each row execute function lab_note_claim();
`;
const DOUBLED = `select channel_id, epoch from lab_claim group by 1, 2 having count(distinct incarnation) > 1`;
const FALLEN = `
  select channel_id, epoch from (
    select channel_id, epoch, lag(epoch) over (partition by channel_id order by no) as before from lab_claim
  ) as claims where epoch < before
`;
const OWNERS = `
  select channel_id as "channelId", node_id as "nodeId" from channel_owner join node using (incarnation)
`;

const rows = z.array(z.object({ channel_id: z.string(), epoch: z.coerce.number() }));
const owners = z.array(z.object({ channelId: z.string(), nodeId: z.string() }));

/** Every ownership that the database ever noted, written down by the database itself. */
export class ClaimLog {
  readonly #services: SharedServices;

  private constructor(services: SharedServices) {
    this.#services = services;
  }

  /** The tables of the nodes must be there. */
  static async start(services: SharedServices): Promise<ClaimLog> {
    await services.query(NOTE_CLAIMS);
    return new ClaimLog(services);
  }

  /** The name of the node that owns each channel. */
  async owners(): Promise<ReadonlyMap<string, string>> {
    const list = owners.parse(await this.#services.query(OWNERS));
    return new Map(list.map(({ channelId, nodeId }) => [channelId, nodeId]));
  }

  /** Epochs that two nodes had, and epochs lower than one before. */
  async faults(): Promise<{ readonly claims: number; readonly doubled: number; readonly fallen: number }> {
    const [doubled, fallen, [count]] = [
      rows.parse(await this.#services.query(DOUBLED)),
      rows.parse(await this.#services.query(FALLEN)),
      z
        .array(z.object({ claims: z.coerce.number() }))
        .parse(await this.#services.query("select count(distinct (channel_id, epoch)) as claims from lab_claim")),
    ];
    return { claims: count?.claims ?? 0, doubled: doubled.length, fallen: fallen.length };
  }
}
