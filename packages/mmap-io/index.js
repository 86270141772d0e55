// A prebuilt binary of this system, or the one that the installation has compiled.
module.exports = require("node-gyp-build")(__dirname);
