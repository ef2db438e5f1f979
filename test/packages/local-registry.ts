import { execFile } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import { runServer } from "verdaccio";

const exec = promisify(execFile);
/** Whoever comes may publish: npm asks for a token all the same. */
const open = { access: "$all", publish: "$all" };
const ours = ["pulsar-ts-io", "create-pulsar-ts-io", "@pulsar-ts-io/*"];

/** A registry of npm on this machine: what is published to it is ours, all else comes from the registry that npm uses here. */
export class LocalRegistry implements AsyncDisposable {
  readonly #server: Server;
  /** For commands that shall meet our packages as anyone will, and leave nothing in this user's caches. */
  readonly env: NodeJS.ProcessEnv;

  private constructor(server: Server, env: NodeJS.ProcessEnv) {
    this.#server = server;
    this.env = env;
  }

  /** @param folder empty, and the caller's to remove. */
  static async start(folder: string): Promise<LocalRegistry> {
    const { stdout: upstream } = await exec("npm", ["config", "get", "registry"]);
    const server: Server = await runServer({
      storage: join(folder, "storage"),
      self_path: folder,
      uplinks: { npm: { url: upstream.trim(), maxage: "1h", timeout: "60s" } },
      packages: { ...Object.fromEntries(ours.map((name) => [name, open])), "**": { ...open, proxy: "npm" } },
      max_body_size: "64mb",
      log: { type: "stdout", format: "pretty", level: "error" },
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo; // a listening TCP server has such an address
    const userconfig = join(folder, "npmrc");
    const address = `127.0.0.1:${port}/`;
    await writeFile(userconfig, `registry=http://${address}\n//${address}:_authToken=anyone\n`);
    const env = {
      ...withoutNpm(process.env),
      npm_config_userconfig: userconfig,
      npm_config_cache: join(folder, "cache"),
      npm_config_update_notifier: "false",
    };
    return new LocalRegistry(server, env);
  }

  async publish(tarball: string): Promise<void> {
    await exec("npm", ["publish", tarball], { env: this.env });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, "close");
  }
}

/** What npm set for whatever it runs is about the workspace. */
function withoutNpm(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !/^npm_/i.test(name)));
}
