import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useFormats } from '../accounts/formats.ts';
import { type Me, useMe } from '../accounts/me.ts';
import { SettingsPage, SettingsSection } from '../accounts/settings/settings-frame.tsx';
import { sentenceFor } from '../platform/api-error.ts';
import { Button } from '../platform/button.tsx';
import { usePlatform } from '../platform/platform-context.ts';
import { ProblemPage } from '../platform/problem-page.tsx';
import { Skeleton } from '../platform/skeleton.tsx';
import { usePlans } from './billing.ts';
import { grantsQuery } from './grants.ts';
import { GrantForm } from './grants-form.tsx';
import { GrantList } from './grants-list.tsx';
import { knownTimeZone } from './usage.ts';

/** Where operators give members plans. To everybody else there is nothing here, as the server says too. */
export function GrantsPage() {
  const { data: me } = useMe();
  if (me !== undefined && me.role !== 'operator') {
    return (
      <ProblemPage
        inside
        title="There is nothing here"
        actions={
          <Link to="/" className="text-link underline">
            Go to your coaches
          </Link>
        }
      >
        <p>The address may be mistyped, or what was here is gone.</p>
      </ProblemPage>
    );
  }
  return (
    <SettingsPage title="Grants" lead="Give a member a plan until a day: a trial, a partner, an apology.">
      {(operator) => <Grants operator={operator} />}
    </SettingsPage>
  );
}

function Grants({ operator }: { operator: Me }) {
  const { api } = usePlatform();
  const formats = useFormats();
  const plans = usePlans();
  const grants = useQuery(grantsQuery(api));
  const problem = plans.data && grants.data ? null : (plans.error ?? grants.error);
  if (problem !== null) {
    return (
      <div role="alert" className="flex flex-col items-start gap-3">
        <p>Grants could not be read. {sentenceFor(problem)}</p>
        <Button onClick={() => Promise.all([plans.refetch(), grants.refetch()])}>Try again</Button>
      </div>
    );
  }
  if (plans.data === undefined || grants.data === undefined) {
    return <Skeleton name="Loading the grants" widths={['w-1/3', 'w-full', 'w-full']} />;
  }
  return (
    <>
      <SettingsSection title="Give a plan">
        <GrantForm plans={plans.data.plans} formats={formats} time_zone={knownTimeZone(operator.time_zone)} />
      </SettingsSection>
      <SettingsSection title="Given so far">
        <GrantList grants={grants.data} plans={plans.data.plans} formats={formats} />
      </SettingsSection>
    </>
  );
}
