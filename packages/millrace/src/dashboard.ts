/** `millrace/dashboard`: a page that shows a store, live. */
export * from "@millrace/dashboard";
