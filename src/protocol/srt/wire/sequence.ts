/** Packets are numbered with 31 bits; the number after this one is 0. */
const SEQUENCE_MAX = 0x7fffffff;

/** Message numbers have 26 bits. 0 is reserved. */
const MESSAGE_NUMBER_MAX = 0x3ffffff;

/** The sequence number `count` packets later, or earlier where `count` is negative. */
export function addSequence(sequence: number, count: number): number {
  return (sequence + count) & SEQUENCE_MAX;
}

/** How many packets `to` is after `from`, across the wrap; negative where it is before. Within ±2^30. */
export function sequenceDistance(from: number, to: number): number {
  const distance = (to - from) & SEQUENCE_MAX;
  return distance >= 0x40000000 ? distance - 0x80000000 : distance;
}

/** The message number after this one. */
export function nextMessageNumber(number: number): number {
  return number === MESSAGE_NUMBER_MAX ? 1 : number + 1;
}
