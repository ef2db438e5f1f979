import process from "node:process";
import { runInstanceChild } from "./cli/instance-child.ts";

await runInstanceChild(process);
