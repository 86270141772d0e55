import { errorPage } from "./error-page.js";
import { millracePage } from "./millrace-page.js";
import { recoveryPage } from "./recovery-page.js";

/** What `npm run docs` writes, by path from the project's root: pages that follow from the sources. */
export const PAGES: Readonly<Record<string, () => string>> = {
  "docs/errors.md": errorPage,
  "docs/millrace.md": millracePage,
  "docs/recovery.md": recoveryPage,
};
