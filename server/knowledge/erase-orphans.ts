import { createHash } from 'node:crypto';
import type { Database } from '../platform/database.ts';
import type { OpenAIUpstream } from '../platform/models/openai-client.ts';
import { hashName } from './fill-vector-store.ts';
import { deleteUpload, getInstallationId, listLostUploads, noteOrphans } from './vector-store-queries.ts';

/** What was made less than this ago may not be in our rows yet. */
const young_s = 60 * 60;
/** How long an upload may have taken; the client gives it up after half a minute. */
const longest_upload_s = 15 * 60;
/** Clocks differ. */
const clock_error_s = 5 * 60;
const page = 100;
const most_uploads = 1_000;

/**
 * How this installation marks its stores at OpenAI. The site's address is in it: a copy of the database that serves
 * another site, such as one to try things out on, must not take this one's stores for orphans.
 */
export async function installationMark(database: Database, site_url: string): Promise<string> {
  const id = await getInstallationId(database);
  return createHash('sha256').update(`${id}\n${site_url}`).digest('hex').slice(0, 32);
}

/**
 * Notes for erasure what a server that died has left at OpenAI and no row of ours names: stores that carry our mark, and
 * files of uploads that nobody heard the end of. Nothing that is younger than an hour. Returns how many.
 */
export async function noteOrphansUpstream(
  database: Database,
  upstream: OpenAIUpstream,
  mark: string,
): Promise<number> {
  return (await noteStores(database, upstream, mark)) + (await noteFiles(database, upstream));
}

async function noteStores(database: Database, upstream: OpenAIUpstream, mark: string) {
  const client = await upstream.client();
  const before_s = Date.now() / 1_000 - young_s;
  let count = 0;
  let ours: string[] = [];
  for await (const store of client.vectorStores.list({ limit: page })) {
    if (store.created_at > before_s || store.metadata?.touchline !== mark) continue;
    ours.push(store.id);
    if (ours.length < page) continue;
    count += await noteOrphans(database, 'openai_vector_store', ours);
    ours = [];
  }
  return count + (await noteOrphans(database, 'openai_vector_store', ours));
}

async function noteFiles(database: Database, upstream: OpenAIUpstream) {
  const lost = (await listLostUploads(database, most_uploads)).map((upload) => ({
    ...upload,
    started_s: Date.parse(upload.started_at) / 1_000,
  }));
  if (lost.length === 0) return 0;
  const client = await upstream.client();
  const before_s = Date.now() / 1_000 - young_s;
  const left: string[] = [];
  for await (const file of client.files.list({ purpose: 'user_data', limit: 10_000, order: 'desc' })) {
    if (file.created_at < lost[0]!.started_s - clock_error_s) break;
    if (file.created_at > before_s) continue;
    const isLeft = lost.some(
      ({ name_hash, size_bytes, started_s }) =>
        size_bytes === file.bytes &&
        file.created_at > started_s - clock_error_s &&
        file.created_at < started_s + longest_upload_s &&
        name_hash === hashName(file.filename),
    );
    if (isLeft) left.push(file.id);
  }
  const count = await noteOrphans(database, 'openai_file', left);
  for (const { id } of lost) await deleteUpload(database, id);
  return count;
}
