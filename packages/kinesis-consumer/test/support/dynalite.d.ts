declare module "dynalite" {
  import type { Server } from "node:http";

  /** An HTTP server that stands in for DynamoDB, in memory unless it is given a path. */
  function dynalite(options?: { readonly createTableMs?: number }): Server;
  export = dynalite;
}
