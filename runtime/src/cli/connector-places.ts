import process from "node:process";
import { ArchiveStore } from "../archive/archive-store.ts";
import { defaultArchiveDirectory } from "../archive/default-archive-directory.ts";
import { ownNeighbourhood } from "../plugin/connector-places.ts";
import { PluginHost } from "../plugin/plugin-host.ts";
import type { Environment } from "./client-conf.ts";

/** The connectors a command line can name: built in, in `--connectors-dir`, installed here or beside this program. */
export function pluginHost(connectorsDirectory: string | undefined, env: Environment): PluginHost {
  return new PluginHost({
    connectorsDirectory,
    installedFor: [process.cwd(), ownNeighbourhood()],
    archives: new ArchiveStore(defaultArchiveDirectory(env)),
  });
}
