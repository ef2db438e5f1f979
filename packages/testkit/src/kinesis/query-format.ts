import type { WireFormat } from "./wire-format.ts";

/** What STS speaks: a form is asked, XML is answered. */
export const query: WireFormat = {
  contentType: "text/xml",
  decode: (body) => Object.fromEntries(new URLSearchParams(body.toString())),
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
