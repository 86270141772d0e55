/** Values of a result's status. */
export const AppendStatus = { ok: 0, createMappedFileFailed: 1 } as const;
