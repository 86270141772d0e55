import type { MessagePort } from "node:worker_threads";
import type { ServiceOutcome } from "./agent.js";

/** Marks what a service says by itself on its control port: Comlink, which has the port too, passes over what has no `id`. */
interface ReportMessage {
  readonly report: unknown;
}

/** The last that a service says. */
interface OutcomeMessage {
  readonly outcome: ServiceOutcome;
}

/** On a service thread: says something to main without being asked. @param report structured-cloneable */
export function postReport(port: MessagePort, report: unknown): void {
  const message: ReportMessage = { report };
  port.postMessage(message);
}

/** On a service thread: says to main how the service has ended. */
export function postOutcome(port: MessagePort, outcome: ServiceOutcome): void {
  const message: OutcomeMessage = { outcome };
  port.postMessage(message);
}

/** On main: calls `onOutcome` when the service has ended by itself. */
export function listenForOutcome(port: MessagePort, onOutcome: (outcome: ServiceOutcome) => void): void {
  port.on("message", (message: unknown) => {
    if (typeof message === "object" && message !== null && "outcome" in message) onOutcome(message.outcome as ServiceOutcome);
  });
}

/** On main: calls `onReport` for each report of the port, and for nothing else of what comes there. */
export function listenForReports(port: MessagePort, onReport: (report: unknown) => void): void {
  port.on("message", (message: unknown) => {
    if (typeof message === "object" && message !== null && "report" in message) onReport(message.report);
  });
}
