import { describe, expect, it } from "vitest";
import { markedRecord, Sightings } from "./marked-records.ts";

const bytesOf = (number: number) => Buffer.from(markedRecord(number, 64).data);

describe("the sightings of marked records", () => {
  it("find each record in bytes, and in the base64 of JSON", () => {
    const sightings = new Sightings();
    const read = sightings.reader();
    read(Buffer.concat([Buffer.from("frame"), bytesOf(7), bytesOf(123_456_789)]));
    read(Buffer.from(`{"Data":"${bytesOf(8).toString("base64")}"}`));
    expect([...sightings.times.keys()].sort((one, other) => one - other)).toEqual([7, 8, 123_456_789]);
  });

  it("find a record whose mark is cut in two at any byte", () => {
    const whole = Buffer.concat([Buffer.from("ab"), bytesOf(42), Buffer.from("cd")]);
    for (let at = 1; at < whole.length; at += 1) {
      const sightings = new Sightings();
      const read = sightings.reader();
      read(whole.subarray(0, at));
      read(whole.subarray(at));
      expect([...sightings.times.keys()], `cut at ${at}`).toEqual([42]);
    }
  });

  it("keep the first time of a record that is sent again", () => {
    const sightings = new Sightings();
    const read = sightings.reader();
    read(bytesOf(1));
    const first = sightings.times.get(1);
    read(bytesOf(1));
    expect(sightings.times.get(1)).toBe(first);
  });
});
