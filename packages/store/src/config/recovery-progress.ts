/** How far the scan of the commit log has come: what `onRecoveryProgress` is notified of. */
export interface RecoveryProgress {
  readonly bytesScanned: number;
  readonly bytesTotal: number;
  readonly segmentsScanned: number;
  readonly segmentsTotal: number;
}
