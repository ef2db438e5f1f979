const bytes = Buffer.alloc(1_024, "reference");

/** What a record is measured in: the same work on every machine, of the kinds that a record needs. */
export function referenceLoop(times: number): number {
  const numbers = new Map<string, number>();
  let sum = 0;
  for (let time = 0; time < times; time += 1) {
    for (let at = 0; at < bytes.length; at += 4) sum = (Math.imul(sum, 31) + bytes.readUInt32LE(at)) | 0;
    const name = `name-${time & 1_023}`;
    const entry = { name, at: time, text: String(sum) };
    numbers.set(name, (numbers.get(name) ?? 0) + entry.text.length);
  }
  return sum + numbers.size;
}
