import { isSequenceNumber } from "./sequence-number.ts";
import { ServiceError, validationError } from "./service-error.ts";

/** The members of a request, checked as they are taken. Each getter throws a ServiceError: Validation- or SerializationException. */
export class RequestFields {
  readonly #members: Readonly<Record<string, unknown>>;

  constructor(body: unknown) {
    if (typeof body !== "object" || body === null || Array.isArray(body)) {
      throw new ServiceError("SerializationException", "the request is not a JSON object");
    }
    this.#members = body as Readonly<Record<string, unknown>>; // just checked
  }

  has(name: string): boolean {
    return this.#members[name] !== undefined && this.#members[name] !== null;
  }

  optionalString(name: string): string | undefined {
    if (!this.has(name)) return undefined;
    const value = this.#members[name];
    if (typeof value === "string") return value;
    throw new ServiceError("SerializationException", `${name} is not a string`);
  }

  string(name: string): string {
    const value = this.optionalString(name);
    if (value !== undefined && value !== "") return value;
    throw validationError(lowerFirst(name), value, "Member must not be null");
  }

  /** One of a closed list. */
  choice<T extends string>(name: string, choices: readonly T[]): T {
    const value = this.string(name);
    const choice = choices.find((candidate) => candidate === value);
    if (choice !== undefined) return choice;
    throw validationError(
      lowerFirst(name),
      value,
      `Member must satisfy enum value set: [${choices.join(", ")}]`,
    );
  }

  optionalInteger(name: string, min: number, max: number): number | undefined {
    if (!this.has(name)) return undefined;
    const value = this.#members[name];
    if (typeof value !== "number" || !Number.isInteger(value)) {
      throw new ServiceError("SerializationException", `${name} is not an integer`);
    }
    if (value < min)
      throw validationError(
        lowerFirst(name),
        value,
        `Member must have value greater than or equal to ${min}`,
      );
    if (value > max)
      throw validationError(lowerFirst(name), value, `Member must have value less than or equal to ${max}`);
    return value;
  }

  integer(name: string, min: number, max: number): number {
    const value = this.optionalInteger(name, min, max);
    if (value !== undefined) return value;
    throw validationError(lowerFirst(name), undefined, "Member must not be null");
  }

  optionalNumber(name: string): number | undefined {
    if (!this.has(name)) return undefined;
    const value = this.#members[name];
    if (typeof value === "number") return value;
    throw new ServiceError("SerializationException", `${name} is not a number`);
  }

  /** Absent is false. */
  optionalBoolean(name: string): boolean {
    if (!this.has(name)) return false;
    const value = this.#members[name];
    if (typeof value === "boolean") return value;
    throw new ServiceError("SerializationException", `${name} is not a boolean`);
  }

  /** On the wire seconds since the epoch, with fractions; here milliseconds. */
  optionalTimestampMs(name: string): number | undefined {
    if (!this.has(name)) return undefined;
    const value = this.#members[name];
    if (typeof value === "number") return Math.round(value * 1_000);
    throw new ServiceError("SerializationException", `${name} is not a timestamp`);
  }

  optionalSequenceNumber(name: string): bigint | undefined {
    const text = this.optionalString(name);
    if (text === undefined) return undefined;
    if (isSequenceNumber(text)) return BigInt(text);
    throw validationError(
      lowerFirst(name),
      text,
      "Member must satisfy regular expression pattern: 0|([1-9]\\d{0,128})",
    );
  }

  optionalHashKey(name: string): bigint | undefined {
    const text = this.optionalString(name);
    if (text === undefined) return undefined;
    if (/^(0|[1-9]\d{0,38})$/.test(text)) return BigInt(text);
    throw validationError(
      lowerFirst(name),
      text,
      "Member must satisfy regular expression pattern: 0|([1-9]\\d{0,38})",
    );
  }

  optionalObject(name: string): RequestFields | undefined {
    return this.has(name) ? new RequestFields(this.#members[name]) : undefined;
  }

  object(name: string): RequestFields {
    const value = this.optionalObject(name);
    if (value !== undefined) return value;
    throw validationError(lowerFirst(name), undefined, "Member must not be null");
  }

  list(name: string, max: number): readonly RequestFields[] {
    const value = this.#members[name];
    if (!Array.isArray(value)) throw validationError(lowerFirst(name), undefined, "Member must not be null");
    if (value.length < 1 || value.length > max) {
      throw validationError(
        lowerFirst(name),
        `${value.length} members`,
        `Member must have length between 1 and ${max}`,
      );
    }
    return value.map((member) => new RequestFields(member));
  }
}

/** AWS names members in its complaints with a small first letter. */
function lowerFirst(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1);
}
