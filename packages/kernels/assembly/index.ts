export { append } from "./append";
export { buildTables, crc32 } from "./crc32";
export { encode } from "./encode";
