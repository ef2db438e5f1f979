import process from "node:process";
import { KinesisSource } from "../../../connectors/kinesis/src/index.ts";
import { KinesisSourceRecord } from "../../../connectors/kinesis/src/kinesis-record.ts";
import { measurePathCosts, type PathCounts } from "./path-costs.ts";

/**
 * Measures in a process of its own, whose memory nothing else uses.
 *
 *   node --expose-gc --min-semi-space-size=… costs-process.ts <counts as JSON> [copy|json|pass|promise]
 *
 * The second argument plants a defect, which shows whether it would be noticed. Prints one line of JSON.
 */
const [counts = "", defect] = process.argv.slice(2);
plant(defect);
const costs = await measurePathCosts(JSON.parse(counts) as PathCounts); // the test's own
process.stdout.write(`${JSON.stringify(costs)}\n`);

function plant(name: string | undefined): void {
  if (name === "copy") changeValue((value) => Buffer.from(value));
  else if (name === "json")
    changeValue((value) => {
      JSON.parse(Buffer.from(value.buffer, value.byteOffset, value.length).toString());
      return value;
    });
  else if (name === "pass")
    changeValue((value) => {
      let sum = 0;
      for (const byte of value) sum = (sum * 31 + byte) | 0;
      return sum === 0.5 ? new Uint8Array(0) : value;
    });
  else if (name === "promise") {
    const read = KinesisSource.prototype.read;
    KinesisSource.prototype.read = async function (this: KinesisSource) {
      return await Reflect.apply(read, this, []);
    };
  } else if (name !== undefined) throw new Error(`there is no defect ${name}`);
}

function changeValue(change: (value: Uint8Array) => Uint8Array): void {
  const { get } = Object.getOwnPropertyDescriptor(KinesisSourceRecord.prototype, "value") ?? {};
  if (get === undefined) throw new Error("the value of a record is no getter any more");
  Object.defineProperty(KinesisSourceRecord.prototype, "value", {
    get(this: KinesisSourceRecord) {
      return change(Reflect.apply(get, this, []));
    },
  });
}
