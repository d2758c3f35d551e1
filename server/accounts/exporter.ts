import { sql } from 'kysely';
import type { Database } from '../platform/database.ts';
import type { Storage } from '../platform/storage.ts';
import type { Exporter } from './export.ts';

/** A person's profile, sign-ins and picture. Without what is a secret: hashes of passwords and of tokens. */
export function accountExporter(database: Database, storage: Storage): Exporter {
  return {
    describe: [
      'profile.json      your profile and your role, and what signing in keeps: providers, sessions and a log',
      'picture.webp      your picture, where you have given one',
    ],
    count: async () => 1,
    async *entries(user_id) {
      const { avatar_url, ...held } = await getHeld(database, user_id);
      yield { path: 'profile.json', content: `${JSON.stringify(held, null, 2)}\n` };
      // Over the Data API a member may have written anything there.
      const version = /^\/api\/me\/avatar\?v=([0-9a-f]+)$/.exec(avatar_url ?? '')?.[1];
      if (version) {
        const key = `${user_id}/avatar-${version}.webp`;
        yield { path: 'picture.webp', content: () => storage.findStream(key), is_compressed: true };
      }
    },
  };
}

/** Auth's tables have more columns on Supabase than in our process: what is taken is named, what is missing is null. */
async function getHeld(database: Database, user_id: string) {
  const { rows } = await sql<{ profile: { avatar_url: string | null } }>`
    select
      to_jsonb(profiles) - array['email_verification_token', 'erase_after'] as profile,
      coalesce((select role from public.user_roles where user_id = profiles.id), 'member') as role,
      (select to_jsonb(changes) - array['user_id', 'current_token', 'new_token']
        from public.email_changes as changes where user_id = profiles.id) as email_change,
      (
        select jsonb_build_object(
          'id', held -> 'id', 'email', held -> 'email', 'phone', held -> 'phone', 'created_at', held -> 'created_at',
          'last_sign_in_at', held -> 'last_sign_in_at', 'email_confirmed_at', held -> 'email_confirmed_at',
          'user_metadata', held -> 'raw_user_meta_data', 'app_metadata', held -> 'raw_app_meta_data'
        )
        from (select to_jsonb(users) as held from auth.users as users where id = profiles.auth_id) as user_held
      ) as sign_in,
      (
        select coalesce(jsonb_agg(jsonb_build_object(
          'provider', provider, 'data', identity_data, 'created_at', created_at, 'last_sign_in_at', last_sign_in_at
        ) order by created_at), '[]')
        from auth.identities where user_id = profiles.auth_id
      ) as identities,
      (
        select coalesce(jsonb_agg(jsonb_build_object(
          'created_at', held -> 'created_at', 'refreshed_at', held -> 'refreshed_at', 'ip', held -> 'ip',
          'user_agent', held -> 'user_agent'
        ) order by held ->> 'created_at'), '[]')
        from (select to_jsonb(sessions) as held from auth.sessions as sessions where user_id = profiles.auth_id) as all_held
      ) as sessions,
      (
        select coalesce(jsonb_agg(jsonb_build_object(
          'created_at', created_at, 'ip', ip_address, 'entry', payload
        ) order by created_at), '[]')
        from auth.audit_log_entries where strpos(payload::text, profiles.auth_id::text) > 0
      ) as sign_in_log
    from public.profiles
    where profiles.id = ${user_id}
  `.execute(database);
  const held = rows[0];
  if (!held) throw new Error('the profile is gone');
  return { avatar_url: held.profile.avatar_url, ...held };
}
