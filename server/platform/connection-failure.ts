const sentences: Record<string, string> = {
  ECONNREFUSED:
    'Nothing listens at the address in DATABASE_URL: start PostgreSQL there, or correct the address.',
  ENOTFOUND: 'The host in DATABASE_URL is not known: correct it.',
  EAI_AGAIN: 'The host in DATABASE_URL cannot be looked up at the moment: check the network, or correct it.',
  ENETUNREACH:
    "The host in DATABASE_URL cannot be reached from this network. Supabase's direct address needs IPv6: take the session pooler's instead, in the dashboard under Connect.",
  EHOSTUNREACH:
    'The host in DATABASE_URL cannot be reached from this network: check the address and the firewall.',
  ECONNRESET:
    'The server at DATABASE_URL hangs up: check that the address and the port are those of PostgreSQL.',
  '28P01': 'PostgreSQL refuses the name or the password in DATABASE_URL: correct it.',
  '28000': 'PostgreSQL refuses the account in DATABASE_URL: correct it, or allow it in pg_hba.conf.',
  '3D000': 'There is no database of the name in DATABASE_URL: make it with createdb, or correct the name.',
  '53300': 'PostgreSQL has no connection left: lower DATABASE_POOL_SIZE, or raise its max_connections.',
  '57P03': 'PostgreSQL is starting or stopping: try again in a minute.',
};
const untrusted =
  'Node does not trust the certificate of the database: name its authority in NODE_EXTRA_CA_CERTS (docs/deploy.md).';

/** One sentence on why a connection to PostgreSQL failed. It quotes nothing but the error's code. */
export function describeConnectionFailure(error: unknown): string {
  const { code = '' } = error as { code?: string };
  if (/CERT|VERIFY_LEAF|ALTNAME/.test(code)) return `${untrusted} (${code})`;
  const reason = /^[A-Z0-9_]+$/.test(code) ? code : 'no answer within 5 seconds';
  return sentences[code] ?? `It cannot be reached (${reason}): check DATABASE_URL and that it is running.`;
}
