/**
 * For `node --import`, into a process that has a store open: it is four in the morning, RocketMQ's `deleteWhen`, and the cleaner begins at
 * once, not after a minute. It says so on stderr.
 */
const FIRST_RUN_MS = 60_000;
const { setTimeout } = globalThis;

function beginning<A extends unknown[]>(run: (...args: A) => void): (...args: A) => void {
  return (...args) => {
    run(...args);
    process.stderr.write("the cleaner has begun\n");
  };
}

function soon<A extends unknown[]>(run: (...args: A) => void, ms?: number, ...args: A): NodeJS.Timeout {
  return ms === FIRST_RUN_MS ? setTimeout(beginning(run), 0, ...args) : setTimeout(run, ms, ...args);
}

globalThis.setTimeout = Object.assign(soon, setTimeout);
Date.prototype.getHours = () => 4;
