#!/usr/bin/env node
// What `pulsar-admin sources localrun` starts, as $PULSAR_HOME/bin/function-localrunner.
import process from "node:process";

process.argv.splice(2, 0, "function-localrunner");
await import("./pulsar-ts-io.js");
