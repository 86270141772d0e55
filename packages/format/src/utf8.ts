const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** As Java's `new String(bytes, UTF_8)`: a byte order mark stays, ill-formed bytes become U+FFFD. */
export function decodeUtf8(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}
