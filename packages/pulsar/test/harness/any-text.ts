import fc from "fast-check";

/** Text of one to four bytes of UTF-8 a character. fast-check's own unit for all of Unicode takes seconds to make. */
export function anyText(maxLength: number): fc.Arbitrary<string> {
  return fc.string({
    unit: fc.constantFrom("a", "Z", "0", "=", " ", "\u0000", "\n", "ä", "日", "😀"),
    maxLength,
  });
}
