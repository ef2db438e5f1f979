import type { WireFormat } from "./wire-format.ts";

/** What STS speaks, and the AWS SDK for Java with CloudWatch: a form is asked, XML is answered. */
export const query: WireFormat = {
  contentType: "text/xml",
  records: "json",
  decode(body) {
    const request: Members = {};
    for (const [name, text] of new URLSearchParams(body.toString())) {
      put(request, name.split("."), formValue(name, text));
    }
    return request;
  },
  encode(json, operation) {
    const result: unknown = JSON.parse(Buffer.concat(json).toString());
    const response = {
      [`${operation}Result`]: result,
      ResponseMetadata: { RequestId: "00000000-0000-0000-0000-000000000000" },
    };
    return [Buffer.from(element(`${operation}Response`, response, ` xmlns="${namespace}"`))];
  },
  encodeError({ awsName, message, status }) {
    const Type = status < 500 ? "Sender" : "Receiver";
    const Code = queryNames[awsName] ?? awsName;
    const error = { Error: { Type, Code, Message: message } };
    const chunks = [Buffer.from(element("ErrorResponse", error, ` xmlns="${namespace}"`))];
    return { status: Code === "AccessDenied" ? 403 : status, chunks };
  },
};

const numeric = /^MetricData\.member\.\d+\.(Value|StatisticValues\.\w+)$/;

/** A form holds nothing but text: the names tell what is a number, or a time in seconds. */
function formValue(name: string, text: string): unknown {
  if (name.endsWith(".Timestamp")) return Date.parse(text) / 1_000;
  return numeric.test(name) ? Number(text) : text;
}

type Members = Record<string, unknown>;

/** `MetricData.member.1.Unit` is the unit of the first one of a list. */
function put(members: Members, [name = "", next, ...rest]: readonly string[], value: unknown): void {
  if (next === undefined) {
    members[name] = value;
  } else if (next === "member") {
    members[name] ??= [];
    const list = members[name] as Members[]; // made here: no name is a list's and an object's
    const [place, ...below] = rest;
    const index = Number(place) - 1;
    list[index] ??= {};
    put(list[index], below, value);
  } else {
    members[name] ??= {};
    put(members[name] as Members, [next, ...rest], value); // likewise
  }
}

export const formType = "application/x-www-form-urlencoded";
const namespace = "https://sts.amazonaws.com/doc/2011-06-15/";

/** What has another name here than where JSON is spoken. */
const queryNames: Readonly<Record<string, string>> = {
  AccessDeniedException: "AccessDenied",
  ValidationException: "ValidationError",
};

function element(name: string, value: unknown, attributes = ""): string {
  return `<${name}${attributes}>${content(value)}</${name}>`;
}

function content(value: unknown): string {
  if (typeof value !== "object" || value === null) return escaped(String(value));
  return Object.entries(value)
    .map(([name, member]) => element(name, member))
    .join("");
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
