import type { MessagePort } from "node:worker_threads";

/** Marks what a service says by itself on its control port: Comlink, which has the port too, passes over what has no `id`. */
interface ReportMessage {
  readonly report: unknown;
}

/** On a service thread: says something to main without being asked. @param report structured-cloneable */
export function postReport(port: MessagePort, report: unknown): void {
  const message: ReportMessage = { report };
  port.postMessage(message);
}

/** On main: calls `onReport` for each report of the port, and for nothing else of what comes there. */
export function listenForReports(port: MessagePort, onReport: (report: unknown) => void): void {
  port.on("message", (message: unknown) => {
    if (typeof message === "object" && message !== null && "report" in message) onReport(message.report);
  });
}
