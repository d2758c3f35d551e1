import { useState } from 'react';
import type { Formats } from '../accounts/formats.ts';
import { Button } from '../platform/button.tsx';
import type { Plan } from './billing.ts';
import { type Grant, listed_grants, stateOfGrant } from './grants.ts';
import { RevokeGrantDialog } from './grants-revoke-dialog.tsx';
import { planTitle } from './plan-words.ts';

type GrantListProps = { grants: Grant[]; plans: Plan[]; formats: Formats };

/** What was given, the latest first, and whether it goes on. */
export function GrantList({ grants, plans, formats }: GrantListProps) {
  const [revoked, setRevoked] = useState<Grant | null>(null);
  if (grants.length === 0) {
    return <p className="mt-1.5 text-muted">Nothing yet. Type a member’s address above to give the first.</p>;
  }
  return (
    <>
      <ul aria-label="Grants" className="mt-4 flex flex-col gap-3">
        {grants.map((grant) => (
          <li
            key={grant.id}
            className="flex flex-wrap items-center gap-x-4 gap-y-2 rounded-md border border-line bg-surface px-4 py-3"
          >
            <div className="min-w-0 flex-1 basis-56">
              <p className="font-medium wrap-anywhere">{grant.email ?? 'An account without an address'}</p>
              <p className="text-small">
                {planTitle({ plans }, grant.plan)} plan
                <span className="text-muted"> · {stateSentence(grant, formats)}</span>
              </p>
              <p className="text-small text-muted">
                Given on {formats.date(grant.created_at)}
                {grant.note && `: ${grant.note}`}
              </p>
            </div>
            {stateOfGrant(grant, Date.now()) === 'running' && (
              <Button
                aria-label={`Take back from ${grant.email ?? 'this account'}`}
                onClick={() => setRevoked(grant)}
              >
                Take back
              </Button>
            )}
          </li>
        ))}
      </ul>
      {grants.length >= listed_grants && (
        <p className="mt-3 text-small text-muted">These are the last {listed_grants}.</p>
      )}
      {revoked && (
        <RevokeGrantDialog
          grant={revoked}
          plan_title={planTitle({ plans }, revoked.plan)}
          formats={formats}
          onClose={() => setRevoked(null)}
        />
      )}
    </>
  );
}

function stateSentence(grant: Grant, { moment }: Formats) {
  switch (stateOfGrant(grant, Date.now())) {
    case 'running':
      return `until ${moment(grant.until)}`;
    case 'ended':
      return `ended on ${moment(grant.until)}`;
    case 'taken_back':
      return `taken back on ${moment(grant.revoked_at!)}`;
  }
}
