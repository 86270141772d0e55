/** Where a store says what nobody listens to: `console`, pino, winston and the like are such. */
export interface StoreLogger {
  /** Called with one line for each event that nobody listens to. */
  error(message: string): void;
}
