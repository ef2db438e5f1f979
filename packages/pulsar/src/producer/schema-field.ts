import type { SchemaInfo, SchemaType } from "../publisher.ts";
import type { SchemaData } from "../wire/command-types.ts";

/** Schema.Type of the protocol. */
const types: Readonly<Record<SchemaType, number>> = {
  STRING: 1,
  JSON: 2,
  PROTOBUF: 3,
  AVRO: 4,
  BOOLEAN: 5,
  INT8: 6,
  INT16: 7,
  INT32: 8,
  INT64: 9,
  FLOAT: 10,
  DOUBLE: 11,
  DATE: 12,
  TIME: 13,
  TIMESTAMP: 14,
  KEY_VALUE: 15,
  PROTOBUF_NATIVE: 20,
};

/** A schema as PRODUCER carries it; as Java does, it is named after its type. */
export function schemaField(schema: SchemaInfo): SchemaData {
  const { type, definition, properties } = schema;
  return {
    name: type,
    data: definition,
    type: types[type],
    properties: Object.entries(properties).map(([key, value]) => ({ key, value })),
  };
}
