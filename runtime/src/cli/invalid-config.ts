import { type ConfigProblem, InvalidConfigError } from "@pulsar-ts-io/config";
import { isSourceConfigField } from "../source-config/fields.ts";
import type { RequestedSource } from "./requested-source.ts";

/** All problems as one error, whose remedy names the page that describes what is wrong: options, or the connector's settings. */
export function invalidConfig(
  problems: readonly ConfigProblem[],
  { settings, connector }: Pick<RequestedSource, "settings" | "connector">,
): InvalidConfigError {
  const isOption = ({ path }: ConfigProblem) => {
    const [first = ""] = path.split(/[.[]/, 1);
    return isSourceConfigField(first) && !Object.hasOwn(settings.configs, first);
  };
  const pages = [
    ...(problems.some(isOption) ? ["`pulsar-ts-io run --help` lists the options"] : []),
    ...(problems.every(isOption)
      ? []
      : [`\`pulsar-ts-io connectors describe ${connector.manifest.name}\` lists the connector's settings`]),
  ];
  return new InvalidConfigError(problems, { remedy: `correct it as said above; ${pages.join(", ")}` });
}
