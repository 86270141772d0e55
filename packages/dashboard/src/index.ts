/** The whole public API of `@millrace/dashboard`. */
export type { DashboardOptions } from "./dashboard-options.js";
export { type Dashboard, serveDashboard } from "./serve-dashboard.js";
