/** Public names of `@millrace/dashboard`: a page that shows a store, live. */
export type { ShownStore } from "./frame-source.js";
export { type Dashboard, type DashboardOptions, serveDashboard } from "./serve-dashboard.js";
