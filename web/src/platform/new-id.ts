/**
 * A new uuid, version 7 (RFC 9562): the time in milliseconds, then random bits. Ids that grow with time
 * keep the database's indexes small. Works on plain-http addresses too, where `crypto.randomUUID` is missing.
 */
export function newId(now_ms = Date.now()) {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  for (let position = 0; position < 6; position++) {
    bytes[position] = Math.floor(now_ms / 256 ** (5 - position)) % 256;
  }
  bytes[6] = 0x70 | (bytes[6]! & 0x0f);
  bytes[8] = 0x80 | (bytes[8]! & 0x3f);
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
