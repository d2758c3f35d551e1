import { Link } from '@tanstack/react-router';
import { useFormats } from '../accounts/formats.ts';
import type { Me } from '../accounts/me.ts';
import { SettingsPage, SettingsSection } from '../accounts/settings/settings-frame.tsx';
import { usePlans } from './billing.ts';
import { planTitle } from './plan-words.ts';
import { knownTimeZone } from './usage.ts';
import { RenewalLine, UsageMeters } from './usage-meters.tsx';
import { UsageSection } from './usage-section.tsx';

/** What the member used this month, until when it counts, and how it came about. */
export function UsagePage() {
  return (
    <SettingsPage title="Usage" lead="What you used, and when it begins anew.">
      {(me) => <Usage me={me} />}
    </SettingsPage>
  );
}

function Usage({ me }: { me: Me }) {
  const formats = useFormats();
  const time_zone = knownTimeZone(me.time_zone);
  const { data: catalog } = usePlans();
  const plan = planTitle(catalog ?? { plans: [] }, me.subscription_plan);
  return (
    <>
      <SettingsSection title="This month">
        <RenewalLine me={me} formats={formats} time_zone={time_zone} />
        <UsageMeters me={me} formats={formats} />
        <p className="mt-6 text-muted">
          You are on the <span className="text-ink">{plan} plan</span>.{' '}
          <Link to="/settings/plan" className="text-link underline">
            See plans
          </Link>
        </p>
      </SettingsSection>
      <SettingsSection title="By day and coach">
        <UsageSection time_zone={time_zone} formats={formats} />
      </SettingsSection>
    </>
  );
}
