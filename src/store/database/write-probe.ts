import type { Database } from "./database.ts";
import { takeNumber } from "./numbers.ts";

/**
 * Writes one number and waits until it is on the disk. Rejects with StoreUnavailableError where that is not possible
 * now.
 */
export async function probeWrite(database: Database): Promise<void> {
  await database.write((trx) => takeNumber(trx, "write-probe"));
}
