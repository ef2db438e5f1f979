import { describe } from "vitest";
import { leaseTableContract } from "../support/lease-table-contract.ts";
import { MemoryLeaseTable } from "../support/memory-lease-table.ts";

describe("MemoryLeaseTable", () => {
  leaseTableContract(() => Promise.resolve(new MemoryLeaseTable()));
});
