/** Bytes of one row that belong to one field. */
interface HexChunk {
  /** Index of the field. */
  readonly field: number;
  readonly hex: string;
  /** As characters; what is none is a dot. */
  readonly text: string;
}

export interface HexRow {
  /** In the record. */
  readonly position: number;
  readonly chunks: readonly HexChunk[];
}

const FIRST_PRINTABLE = 0x20;
const LAST_PRINTABLE = 0x7e;

/**
 * Rows of a hex dump, cut where one field ends and the next begins.
 * @param fieldEnds one past the last byte of each field, ascending
 */
export function hexRows(bytes: Uint8Array, fieldEnds: readonly number[], columns: number): HexRow[] {
  const rows: HexRow[] = [];
  let field = 0;
  for (let position = 0; position < bytes.length; position += columns) {
    const chunks: HexChunk[] = [];
    const end = Math.min(position + columns, bytes.length);
    for (let at = position; at < end; ) {
      while (field < fieldEnds.length - 1 && at >= (fieldEnds[field] as number)) field++;
      const chunkEnd = at < (fieldEnds[field] ?? end) ? Math.min(end, fieldEnds[field] ?? end) : end;
      const part = bytes.subarray(at, chunkEnd);
      chunks.push({ field, hex: Array.from(part, hexOf).join(" "), text: Array.from(part, characterOf).join("") });
      at = chunkEnd;
    }
    rows.push({ position, chunks });
  }
  return rows;
}

function hexOf(byte: number): string {
  return byte.toString(16).padStart(2, "0");
}

function characterOf(byte: number): string {
  return byte >= FIRST_PRINTABLE && byte <= LAST_PRINTABLE ? String.fromCharCode(byte) : ".";
}
