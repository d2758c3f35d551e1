import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { isIP } from 'node:net';

/**
 * A certificate that nobody signed but itself, with its key, both PEM: good from yesterday until tomorrow, for `hosts`
 * (names and IPv4 addresses). Written byte by byte (X.509 v3, RFC 5280), because node:crypto reads certificates only.
 */
export function makeSelfSignedCertificate(hosts: string[]): { cert: string; key: string } {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const name = sequence(set(sequence(object_ids.common_name, tagged(0x0c, Buffer.from('Touchline test')))));
  const day_ms = 24 * 60 * 60 * 1000;
  const body = sequence(
    tagged(0xa0, integer(Buffer.of(2))),
    integer(Buffer.concat([Buffer.of(1), randomBytes(8)])),
    sequence(object_ids.ecdsa_with_sha256),
    name,
    sequence(time(Date.now() - day_ms), time(Date.now() + day_ms)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    tagged(
      0xa3,
      sequence(sequence(object_ids.subject_alt_name, tagged(0x04, sequence(...hosts.map(altName))))),
    ),
  );
  const signature = sign('sha256', body, privateKey);
  const der = sequence(
    body,
    sequence(object_ids.ecdsa_with_sha256),
    tagged(0x03, Buffer.concat([Buffer.of(0), signature])),
  );
  const lines = der.toString('base64').match(/.{1,64}/g)!;
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
  };
}

const object_ids = {
  common_name: Buffer.from('0603550403', 'hex'),
  subject_alt_name: Buffer.from('0603551d11', 'hex'),
  ecdsa_with_sha256: Buffer.from('06082a8648ce3d040302', 'hex'),
};

/** A value of DER: its tag, its length, its content. */
function tagged(tag: number, content: Buffer) {
  const length =
    content.length < 0x80
      ? Buffer.of(content.length)
      : content.length < 0x100
        ? Buffer.of(0x81, content.length)
        : Buffer.of(0x82, content.length >> 8, content.length & 0xff);
  return Buffer.concat([Buffer.of(tag), length, content]);
}

function sequence(...parts: Buffer[]) {
  return tagged(0x30, Buffer.concat(parts));
}

function set(...parts: Buffer[]) {
  return tagged(0x31, Buffer.concat(parts));
}

function integer(bytes: Buffer) {
  return tagged(0x02, bytes);
}

/** Years from 1950 to 2049 have two digits. */
function time(at_ms: number) {
  const digits = new Date(at_ms).toISOString().replace(/\D/g, '').slice(2, 14);
  return tagged(0x17, Buffer.from(`${digits}Z`));
}

function altName(host: string) {
  return isIP(host) === 4
    ? tagged(0x87, Buffer.from(host.split('.').map(Number)))
    : tagged(0x82, Buffer.from(host));
}
