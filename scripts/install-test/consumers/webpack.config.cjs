/** As docs/installing.md says it: Millrace stays outside. */
module.exports = {
  mode: "production",
  target: "node20",
  entry: "./put-and-consume.mjs",
  experiments: { outputModule: true },
  externals: [/^millrace/, /^@millrace\//],
  externalsType: "module",
  externalsPresets: { node: true },
  output: { path: __dirname, filename: "packed.mjs", module: true, chunkFormat: "module" },
};
