/** `millrace/producer`: puts from other threads than the store's. */
export * from "@millrace/store/producer";
