"use strict";
const load = require("node-gyp-build");

/** A prebuilt binary of this system, or the one that the installation has compiled. */
function loadBinding() {
  try {
    return load(__dirname);
  } catch (error) {
    // Of the systems with musl node-gyp-build knows Alpine alone.
    if (process.platform !== "linux" || error.code !== "ERR_DLOPEN_FAILED") throw error;
    try {
      return require(`./prebuilds/linux-${process.arch}/mmap-io.napi.musl.node`);
    } catch {
      throw error;
    }
  }
}

// Named one by one: so ES modules can import them.
const binding = loadBinding();
const { map, unmap, advise, lock, unlock, sync, incore, allocate, seekData, seekHole, tryLock, isLocked } = binding;
const { send, receive, pollReadable, duplicate, close } = binding;
const { PROT_NONE, PROT_READ, PROT_WRITE, PROT_EXEC, MAP_SHARED, MAP_PRIVATE, MAP_NONBLOCK, MAP_POPULATE } = binding;
const { MADV_NORMAL, MADV_RANDOM, MADV_SEQUENTIAL, MADV_WILLNEED, MADV_DONTNEED, PAGESIZE } = binding;

module.exports = {
  map,
  unmap,
  advise,
  lock,
  unlock,
  sync,
  incore,
  allocate,
  seekData,
  seekHole,
  tryLock,
  isLocked,
  send,
  receive,
  pollReadable,
  duplicate,
  close,
  PROT_NONE,
  PROT_READ,
  PROT_WRITE,
  PROT_EXEC,
  MAP_SHARED,
  MAP_PRIVATE,
  MAP_NONBLOCK,
  MAP_POPULATE,
  MADV_NORMAL,
  MADV_RANDOM,
  MADV_SEQUENTIAL,
  MADV_WILLNEED,
  MADV_DONTNEED,
  PAGESIZE,
};
