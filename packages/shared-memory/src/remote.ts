/** What another thread may be asked over Comlink. Comlink's own type is not for those who embed a store: it asks for a browser's. */
export type Remote<T> = {
  readonly [K in keyof T]: T[K] extends (...args: infer A) => infer R ? (...args: A) => Promise<Awaited<R>> : never;
};
