/** Loaded before everything else in a process of a control (`--import`), and in each of its threads. */
import { register } from "node:module";

register("./control-loader.js", import.meta.url);
