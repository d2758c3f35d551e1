import { useState } from 'react';
import { Button } from '../../platform/button.tsx';
import type { Me } from '../me.ts';
import { CloseAccountDialog } from './close-account-dialog.tsx';
import { ExportSection } from './export-section.tsx';
import { SettingsPage, SettingsSection } from './settings-frame.tsx';

/** What is held of the member: a copy to take along, and the end of the account. */
export function DataPage() {
  return (
    <SettingsPage title="Your data" lead="It is yours: take a copy along, or have all of it erased.">
      {(me) => (
        <>
          <SettingsSection title="A copy of everything">
            <ExportSection />
          </SettingsSection>
          <SettingsSection title="Delete your account">
            <CloseAccount me={me} />
          </SettingsSection>
        </>
      )}
    </SettingsPage>
  );
}

function CloseAccount({ me }: { me: Me }) {
  const [asking, setAsking] = useState(false);
  return (
    <>
      <p className="mt-1.5 mb-4 text-muted">
        Your account closes at once. For 30 days you can restore it by signing in; then everything is erased
        for good.
      </p>
      <Button onClick={() => setAsking(true)}>Delete account</Button>
      {asking && <CloseAccountDialog me={me} onClose={() => setAsking(false)} />}
    </>
  );
}
