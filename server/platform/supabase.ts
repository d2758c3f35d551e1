import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type pg from 'pg';
import { z } from 'zod';
import { type Config, StartError } from './config.ts';

/** The secrets of the Auth that runs in our process; null where Supabase's own Auth serves. */
export type LocalAuthSecrets = { jwt_secret: string; publishable_key: string; secret_key: string };

const secretsFile = z.object({
  jwt_secret: z.string().min(32),
  publishable_key: z.string().min(8),
  secret_key: z.string().min(8),
});

/**
 * Reads the secrets of the Auth in our process, and makes them (mode 0600) at the first start. `AUTH_JWT_SECRET`
 * wins, so that several machines can share one.
 */
export function readLocalAuthSecrets(config: Config): LocalAuthSecrets {
  const path = join(config.data_folder, 'auth-secrets.json');
  if (!existsSync(path)) {
    const made: LocalAuthSecrets = {
      jwt_secret: randomBytes(48).toString('base64url'),
      publishable_key: `sb_publishable_${randomBytes(17).toString('base64url').slice(0, 22)}`,
      secret_key: `sb_secret_${randomBytes(24).toString('base64url')}`,
    };
    try {
      mkdirSync(config.data_folder, { recursive: true, mode: 0o700 });
      writeFileSync(path, JSON.stringify(made), { mode: 0o600, flag: 'wx' });
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      // Another process on the same folder may have made them at the same moment.
      if (code !== 'EEXIST' || !existsSync(path)) {
        throw new StartError(
          `The data folder ${config.data_folder} cannot be used (${code}): set DATA_DIR to a folder that this account may write.`,
          { cause },
        );
      }
    }
  }
  try {
    const secrets = secretsFile.parse(JSON.parse(readFileSync(path, 'utf8')));
    return { ...secrets, jwt_secret: config.auth_jwt_secret ?? secrets.jwt_secret };
  } catch (cause) {
    throw new StartError(
      `${path} is damaged: restore it from your backup, or delete it, and a new one is made.`,
      { cause },
    );
  }
}

/** Whether the database has what 01_users.sql expects of Supabase: its roles and `auth.users`. One statement. */
export async function hasSupabaseObjects(pool: pg.Pool): Promise<boolean> {
  const { rows } = await pool.query<{ ready: boolean }>(`
    select to_regclass('auth.users') is not null
      and to_regprocedure('auth.uid()') is not null
      and (select count(*) = 3 from pg_catalog.pg_roles where rolname in ('anon', 'authenticated', 'service_role'))
      and exists (
        select from pg_catalog.pg_namespace
        where nspname = 'auth' and has_schema_privilege('authenticated', oid, 'usage')
      ) as ready
  `);
  return rows[0]!.ready;
}

/**
 * Makes the roles that Supabase brings, where they are missing. Throws a `StartError` where the account may not.
 */
export async function createSupabaseRoles(pool: pg.Pool): Promise<void> {
  try {
    await pool.query(`
      do $$
      declare
        wanted text;
      begin
        foreach wanted in array array['anon', 'authenticated', 'service_role'] loop
          begin
            if not exists (select from pg_catalog.pg_roles where rolname = wanted) then
              execute format('create role %I nologin noinherit', wanted);
            end if;
          exception when duplicate_object or unique_violation then
            null; -- another server made it at the same moment
          end;
        end loop;
      end
      $$;
      grant usage on schema public to anon, authenticated, service_role;
    `);
  } catch (cause) {
    throw new StartError(
      'The database account may not create the roles anon, authenticated and service_role: run "create role anon nologin; create role authenticated nologin; create role service_role nologin;" once as a superuser.',
      { cause },
    );
  }
}

/** Lets the policies call `auth.uid()`, as on Supabase. To be run once `auth` exists. */
export async function grantAuthUsage(pool: pg.Pool): Promise<void> {
  await pool.query('grant usage on schema auth to anon, authenticated, service_role');
}
