-- 13 · Notices: what an operator has to see to, by mail. Owned by accounts.
--
-- One row an operator and kind. It is noted each time that it happens and sent once: again only when it comes back
-- after a day of silence.
-- Safe to run again.

create table if not exists public.operator_notices (
  kind text not null,
  user_id uuid not null,
  noticed_at timestamptz not null default now(),
  sent_at timestamptz,
  constraint operator_notices_pkey primary key (kind, user_id),
  constraint operator_notices_user_id_fkey foreign key (user_id) references public.profiles (id) on delete cascade,
  constraint operator_notices_kind_is_known check (kind in ('model_balance_exhausted', 'billing_difference'))
);

-- An earlier form knew fewer kinds.
do $$
begin
  if exists (
    select from pg_catalog.pg_constraint
    where conrelid = 'public.operator_notices'::regclass and conname = 'operator_notices_kind_is_known'
      and pg_catalog.pg_get_constraintdef(oid) not like '%billing_difference%'
  ) then
    alter table public.operator_notices
      drop constraint operator_notices_kind_is_known,
      add constraint operator_notices_kind_is_known check (kind in ('model_balance_exhausted', 'billing_difference'));
  end if;
end
$$;

comment on column public.operator_notices.noticed_at is 'When it happened last.';
comment on column public.operator_notices.sent_at is 'Null: the mail is still to be sent.';

create index if not exists operator_notices_user_id_idx on public.operator_notices (user_id);

-- Grants. The server's alone: row level security is on and there is no policy.
revoke all on public.operator_notices from public, anon, authenticated, service_role;
grant select, insert, update, delete on public.operator_notices to service_role;

alter table public.operator_notices enable row level security;
