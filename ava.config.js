export default {
  files: ["test/dist/**/*.test.js"],
  timeout: "120s",
  workerThreads: false,
};
