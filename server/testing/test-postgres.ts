import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { createPool } from '../platform/database.ts';
import { startEmbeddedPostgres } from '../platform/embedded-postgres.ts';
import { startLocalAuth } from '../platform/local-auth.ts';
import { createLogger } from '../platform/logger.ts';
import { migrate, readSchemaFiles } from '../platform/migrate.ts';
import { createSupabaseRoles, grantAuthUsage } from '../platform/supabase.ts';

export type TestServer = {
  /** A fresh database with the whole schema; its address. */
  createDatabase: () => Promise<string>;
  /** The address of the server's own database, for a test that makes its databases itself. */
  admin_url: string;
  stop: () => Promise<void>;
};

const template = 'touchline_template';
export const schema_folder = join(import.meta.dirname, '..', '..', 'schema');

/**
 * Starts a real PostgreSQL in a folder of its own, or uses the one at `admin_url`, with a template database that has
 * Supabase's objects and our schema.
 */
export async function createTestServer(admin_url?: string): Promise<TestServer> {
  const folder = mkdtempSync(join(tmpdir(), 'touchline-test-'));
  const postgres = admin_url ? undefined : await startEmbeddedPostgres(folder);
  const server_url = admin_url ?? postgres!.url;
  await run(server_url, `drop database if exists ${template}`);
  await run(server_url, `create database ${template}`);
  await prepareTemplate(databaseUrl(server_url, template));
  return {
    admin_url: server_url,
    createDatabase: () => cloneTemplate(server_url),
    async stop() {
      await postgres?.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Clones the template of a running test server; returns the new database's address. */
export async function cloneTemplate(admin_url: string): Promise<string> {
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await run(admin_url, `create database ${name} template ${template} strategy file_copy`);
  return databaseUrl(admin_url, name);
}

/** Makes an empty database without any schema; returns its address. */
export async function createEmptyDatabase(admin_url: string): Promise<string> {
  const name = `empty_${randomUUID().replaceAll('-', '')}`;
  await run(admin_url, `create database ${name}`);
  return databaseUrl(admin_url, name);
}

/** Gives a database what Supabase brings: its roles, and the schema `auth` of the Auth in our process. */
export async function addSupabaseObjects(url: string): Promise<void> {
  const pool = createPool(url, 1, createLogger('silent'));
  const auth = startLocalAuth({
    database_url: url,
    site_url: 'http://localhost',
    jwt_secret: 'x'.repeat(40),
    publishable_key: 'sb_publishable_test',
    secret_key: 'sb_secret_test',
  });
  try {
    await createSupabaseRoles(pool);
    await auth.ready;
    await grantAuthUsage(pool);
  } finally {
    await auth.stop();
    await pool.end();
  }
}

async function prepareTemplate(url: string) {
  await addSupabaseObjects(url);
  const pool = createPool(url, 1, createLogger('silent'));
  try {
    await migrate(pool, readSchemaFiles(schema_folder));
  } finally {
    await pool.end();
  }
  // A template can only be cloned while nobody is connected: wait for the worker's connections to go.
  await run(
    url.replace(template, 'postgres'),
    `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${template}'`,
  );
}

function databaseUrl(server_url: string, name: string) {
  const url = new URL(server_url);
  url.pathname = `/${name}`;
  return url.href;
}

async function run(url: string, statement: string) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
