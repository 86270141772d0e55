/** `assembly/` compiled, in base64. The set-up makes it: scripts/build-kernels.mjs. */
export const KERNELS: string;
