const INT_MIN = -0x80000000;

/** Java's `String.hashCode`: over UTF-16 units, wrapping to 32 bits. */
export function javaStringHash(text: string): number {
  let hash = 0;
  for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0;
  return hash;
}

/** What a ConsumeQueue unit keeps of the TAGS property, sign-extended to 64 bits there; 0 without tags. */
export function tagsCode(tags: string | undefined): number {
  return tags === undefined ? 0 : javaStringHash(tags);
}

/** Hash under which IndexFile keeps a key (`topic#key`); never negative. (RocketMQ: `IndexFile.indexKeyHashMethod`.) */
export function indexKeyHash(key: string): number {
  const hash = javaStringHash(key);
  return hash === INT_MIN ? 0 : Math.abs(hash);
}
