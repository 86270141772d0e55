/** Where a store says what nobody listens to: `console`, pino, winston and the like are such. */
export interface StoreLogger {
  error(message: string): void;
}
