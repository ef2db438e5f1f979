import { sourceContract } from "../../src/contract/index.ts";
import { pondContract } from "./pond-contract.ts";
import { PondSource } from "./pond-source.ts";

sourceContract(PondSource, pondContract());
