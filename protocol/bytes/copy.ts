/**
 * A copy of `bytes[start..end)`. Not `bytes.slice`: on a Node Buffer, which is what sockets hand over, that is a view,
 * and the bytes behind it change with the next read.
 */
export function copyBytes(bytes: Uint8Array, start = 0, end = bytes.length): Uint8Array {
  const copy = new Uint8Array(Math.max(0, end - start));
  copy.set(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end));
  return copy;
}
