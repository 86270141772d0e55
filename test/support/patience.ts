/** For stores of tests that ask what is answered, not how soon: on a machine that is busy elsewhere a force may take seconds. */
export const PATIENCE = { osPageCacheBusyTimeOutMills: 60_000, syncFlushTimeout: 60_000 } as const;
