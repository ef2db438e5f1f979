import { ByteWriter } from "./byte-writer.ts";
import { VarintReader } from "./varint.ts";

/**
 * A protobuf message as a table of its fields, by which it is encoded and decoded; the compiler holds it to the message's type.
 *
 * For the control commands, a few of which travel per connection; what travels with each record is written by hand.
 */
export type FieldTable<M> = {
  readonly [K in keyof M]-?: undefined extends M[K] ? Field<Exclude<M[K], undefined>> : RequiredField<M[K]>;
};

export interface Field<T> {
  readonly number: number;
  readonly required: boolean;
  readonly codec: Codec<T>;
}

/** A field without which the other side refuses the message. */
export interface RequiredField<T> extends Field<T> {
  readonly required: true;
}

interface Codec<T> {
  /** 0 varint, 2 length-delimited: all that the protocol's commands use. */
  readonly wireType: 0 | 2;
  readonly repeated?: true;
  write(writer: ByteWriter, value: T): void;
  /** @param before the value that the same field had earlier in the message. */
  read(reader: VarintReader, before: T | undefined): T;
}

/** An integer, exact from -2^53 to 2^53; for ids, counts, enums and versions. */
const integerCodec: Codec<number> = {
  wireType: 0,
  write: (writer, value) => (value < 0 ? writer.long(BigInt(value)) : writer.varint(value)),
  read: (reader) => reader.number(),
};
const longCodec: Codec<bigint> = {
  wireType: 0,
  write: (writer, value) => writer.long(value),
  read: (reader) => reader.long(),
};
const booleanCodec: Codec<boolean> = {
  wireType: 0,
  write: (writer, value) => writer.byte(value ? 1 : 0),
  read: (reader) => reader.number() !== 0,
};
const bytesCodec: Codec<Uint8Array> = {
  wireType: 2,
  write: (writer, value) => writer.prefixed(value),
  read: (reader) => readPrefixed(reader),
};
const textCodec: Codec<string> = {
  wireType: 2,
  write: (writer, value) => writer.text(value),
  read: (reader) => {
    const bytes = readPrefixed(reader);
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("utf8");
  },
};

export function integer(number: number): Field<number> {
  return { number, required: false, codec: integerCodec };
}

/** A signed integer of 64 bits. */
export function long(number: number): Field<bigint> {
  return { number, required: false, codec: longCodec };
}

export function boolean(number: number): Field<boolean> {
  return { number, required: false, codec: booleanCodec };
}

/** Bytes; read as a view of what was received. */
export function bytes(number: number): Field<Uint8Array> {
  return { number, required: false, codec: bytesCodec };
}

export function text(number: number): Field<string> {
  return { number, required: false, codec: textCodec };
}

/** A message inside a message. */
export function nested<M extends object>(number: number, table: FieldTable<M>): Field<M> {
  const codec: Codec<M> = {
    wireType: 2,
    write: (writer, value) => writer.prefixed(encode(table, value)),
    read: (reader) => decode(table, readPrefixed(reader)),
  };
  return { number, required: false, codec };
}

export function required<T>(field: Field<T>): RequiredField<T> {
  return { ...field, required: true };
}

export function repeated<T>(field: Field<T>): Field<readonly T[]> {
  const { number, codec } = field;
  const items: Codec<readonly T[]> = {
    wireType: codec.wireType,
    repeated: true,
    write: (writer, values) => {
      values.forEach((value, index) => {
        // The tag of the first was written by `encode`.
        if (index > 0) writer.varint(number * 8 + codec.wireType);
        codec.write(writer, value);
      });
    },
    read: (reader, before) => {
      // The list that this codec made for the same message: a frame may repeat a field a million times.
      const items = (before ?? []) as T[];
      items.push(codec.read(reader, undefined));
      return items;
    },
  };
  return { number, required: false, codec: items };
}

/** The bytes of `message`; fields that are `undefined` are left out, zero values are written. */
export function encode<M extends object>(table: FieldTable<M>, message: M): Buffer {
  const writer = new ByteWriter(64);
  for (const { name, field } of entriesOf(table)) {
    const value: unknown = message[name];
    if (value === undefined || isEmptyList(field, value)) continue;
    writer.varint(field.number * 8 + field.codec.wireType);
    field.codec.write(writer, value);
  }
  return writer.bytes();
}

/**
 * The message that `content` holds. Unknown fields are skipped; of a field that repeats though it should not, the last counts.
 *
 * @throws RangeError when `content` is truncated, or a required field is missing.
 */
export function decode<M extends object>(table: FieldTable<M>, content: Uint8Array): M {
  const entries = entriesOf(table);
  const reader = new VarintReader(content);
  const result: Partial<Record<keyof M, unknown>> = {};
  while (reader.offset < reader.end) {
    const tag = reader.number();
    const entry = entries.find(({ field }) => field.number * 8 + field.codec.wireType === tag);
    if (entry === undefined) skipField(reader, tag & 7);
    else result[entry.name] = entry.field.codec.read(reader, result[entry.name]);
  }
  for (const { name, field } of entries) {
    if (field.required && result[name] === undefined)
      throw new RangeError(`the field ${String(name)} is missing`);
  }
  return result as M; // each value came from its field's codec, and the required ones are there
}

/** Steps over the value of a field that is of no interest. */
export function skipField(reader: VarintReader, wireType: number): void {
  if (wireType === 0) reader.long();
  else if (wireType === 1) skip(reader, 8);
  else if (wireType === 2) skip(reader, reader.number());
  else if (wireType === 5) skip(reader, 4);
  else throw new RangeError(`wire type ${wireType} is not known`);
}

/** The bytes of a length-delimited field: a view. */
export function readPrefixed(reader: VarintReader): Uint8Array {
  const length = reader.number();
  const start = reader.offset;
  skip(reader, length);
  return reader.bytes.subarray(start, start + length);
}

function skip(reader: VarintReader, count: number): void {
  if (!(count >= 0 && count <= reader.end - reader.offset)) throw new RangeError("a field is truncated");
  reader.offset += count;
}

interface Entry<M> {
  readonly name: keyof M;
  readonly field: Field<unknown>;
}

const entriesByTable = new WeakMap<object, readonly Entry<never>[]>();

function entriesOf<M extends object>(table: FieldTable<M>): readonly Entry<M>[] {
  let entries = entriesByTable.get(table) as readonly Entry<M>[] | undefined; // what was stored for this very table
  if (entries === undefined) {
    // A mapped type's entries are its keys with its fields, which Object.entries cannot know.
    entries = Object.entries(table).map(([name, field]) => ({
      name,
      field,
    })) as unknown as readonly Entry<M>[];
    entriesByTable.set(table, entries);
  }
  return entries;
}

function isEmptyList(field: Field<unknown>, value: unknown): boolean {
  return field.codec.repeated === true && Array.isArray(value) && value.length === 0;
}
