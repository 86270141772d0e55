/** The wall clock of the tests can be set: test/support/settable-wall-clock.ts. */
const wallClock = new URL("test/dist/support/settable-wall-clock.js", import.meta.url).href;

export default {
  files: ["test/dist/**/*.test.js"],
  nodeArguments: [`--import=${wallClock}`],
  timeout: "120s",
  workerThreads: false,
};
