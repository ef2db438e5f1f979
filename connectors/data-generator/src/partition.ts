/** One partition: what is made next of it, and up to where everything is acknowledged. */
export class Partition {
  readonly number: number;
  /** How many records it has in all; `Infinity`: no end. */
  readonly count: number;
  #first = 0;
  #next: number;
  #safe: number;
  /** Acknowledged beyond a gap. As many as Pulsar's client has in flight at most. */
  readonly #early = new Set<number>();

  constructor(number: number, count: number) {
    this.number = number;
    this.count = count;
    this.#next = 0;
    this.#safe = 0;
  }

  /** Everything below it is acknowledged: the place to go on from. */
  get safe(): number {
    return this.#safe;
  }

  /** How many of its records were taken here. */
  get taken(): number {
    return this.#next - this.#first;
  }

  get exhausted(): boolean {
    return this.#next >= this.count;
  }

  /** Goes on at `position`, before anything was taken. */
  resume(position: number): void {
    this.#first = position;
    this.#next = position;
    this.#safe = position;
  }

  /** The sequence of the next record. */
  take(): number {
    this.#next += 1;
    return this.#next - 1;
  }

  acknowledge(sequence: number): void {
    if (sequence < this.#safe) return;
    this.#early.add(sequence);
    while (this.#early.delete(this.#safe)) this.#safe += 1;
  }
}

/** Which part of the data one instance makes. */
export interface Share {
  readonly partitions: number;
  /** 0: no end. */
  readonly count: number;
  readonly instanceId: number;
  readonly numInstances: number;
}

/** The partitions of an instance, each with its part of `count`. */
export function partitionsOf({ partitions, count, instanceId, numInstances }: Share): readonly Partition[] {
  const own: Partition[] = [];
  for (let number = instanceId; number < partitions; number += numInstances) {
    const records = count === 0 ? Number.POSITIVE_INFINITY : Math.ceil((count - number) / partitions);
    own.push(new Partition(number, Math.max(0, records)));
  }
  return own;
}
