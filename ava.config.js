export default {
  files: ["test/dist/**/*.test.js"],
  timeout: "60s",
  workerThreads: false,
};
