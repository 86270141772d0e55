/** What a code means, and what helps: one sentence each. */
export interface ErrorCodeText {
  readonly meaning: string;
  readonly remedy: string;
}
