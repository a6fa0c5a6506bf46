import { useRef } from "preact/hooks";

/**
 * Returns a function that reads and gives what was found to `take`, and one that is called where this page changed what is read.
 * Readings overlap, and their answers come in any order: what a reading found counts no more where a later one was answered, or a
 * change was made since it began.
 */
export function useReading<Found>(
  read: () => Promise<Found>,
  take: (found: Found) => void,
): readonly [read: () => Promise<void>, changed: () => void] {
  const order = useRef({ begun: 0, taken: 0 }).current;
  const begin = (): number => {
    order.begun += 1;
    return order.begun;
  };
  const readNow = async (): Promise<void> => {
    const own = begin();
    const found = await read();
    if (own < order.taken) return;
    order.taken = own;
    take(found);
  };
  return [
    readNow,
    () => {
      order.taken = begin();
    },
  ];
}
