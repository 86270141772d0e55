/** Everything of `@millrace/store`, under the name by which Millrace is installed. */
export * from "@millrace/store";
