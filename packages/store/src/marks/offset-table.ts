/** What a file of RocketMQ's `config` directory says that has an `offsetTable`. */
export interface OffsetTable<T> {
  /** Fields of the file, as they were read: those that are not known here (5.x has `dataVersion`) are written back. */
  readonly fields: Readonly<Record<string, unknown>>;
  readonly offsetTable: T;
}

/**
 * @param tableFrom throws when the table is not what it should be
 * @throws TypeError for what is no object with a table. RocketMQ 4.9 writes `{}` before there is anything to tell; an object of other
 * things without the table is damaged
 */
export function decodeOffsetTable<T>(value: unknown, tableFrom: (table: Record<string, unknown>) => T): OffsetTable<T> {
  const fields = objectOf(value, "the file");
  const table = Object.keys(fields).length === 0 ? {} : objectOf(fields.offsetTable, "offsetTable");
  return { fields, offsetTable: tableFrom(table) };
}

/** As RocketMQ writes it. @param table what `offsetTable` becomes */
export function encodeOffsetTable({ fields }: OffsetTable<unknown>, table: Readonly<Record<string, unknown>>): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify({ ...fields, offsetTable: table }, undefined, "\t")}\n`);
}

/** @throws TypeError */
export function objectOf(value: unknown, what: string): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new TypeError(`not an object: name=${what}`);
}
