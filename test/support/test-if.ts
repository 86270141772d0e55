import test, { type Implementation } from "ava";

/**
 * Registers a test that needs something of this machine: a JDK, a right, a network. Where that is missing, the test counts as skipped,
 * with the reason in its title. The only home of `test.skip`.
 *
 * @param reason what is missing, in words
 */
export function testIf(isPossible: boolean, reason: string): (title: string, implementation: Implementation<[]>) => void {
  return (title, implementation) => {
    if (isPossible) test.serial(title, implementation);
    else test.serial.skip(`${title} (${reason})`, implementation);
  };
}
