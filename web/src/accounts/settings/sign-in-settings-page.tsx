import { queryOptions, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { Api } from '../../platform/api.ts';
import { sentenceFor } from '../../platform/api-error.ts';
import { Button } from '../../platform/button.tsx';
import { usePlatform } from '../../platform/platform-context.ts';
import { Skeleton } from '../../platform/skeleton.tsx';
import type { Me } from '../me.ts';
import { ChangeEmailForm } from './change-email-form.tsx';
import { ChangePasswordForm } from './change-password-form.tsx';
import { MailPasswordLink } from './mail-password-link.tsx';
import { SettingsPage, SettingsSection } from './settings-frame.tsx';
import { SignOutEverywhereDialog } from './sign-out-everywhere-dialog.tsx';

type SignInMethods = { password: boolean; providers: string[] };

const signInMethodsQuery = (api: Api) =>
  queryOptions({
    queryKey: ['me', 'sign-in-methods'],
    queryFn: ({ signal }) => api.get<SignInMethods>('/api/me/sign-in-methods', signal),
  });

const provider_names: Record<string, string> = { google: 'Google', github: 'GitHub' };

/** How the member signs in: the address, the password, providers, and the way out of every device. */
export function SignInSettingsPage() {
  return (
    <SettingsPage title="Sign-in" lead="How you get in, and how you keep others out.">
      {(me) => (
        <>
          <SettingsSection title="Email address">
            <ChangeEmailForm me={me} />
          </SettingsSection>
          <MethodSections me={me} />
          <SettingsSection title="Signed-in devices">
            <SignOutEverywhere />
          </SettingsSection>
        </>
      )}
    </SettingsPage>
  );
}

function MethodSections({ me }: { me: Me }) {
  const { api } = usePlatform();
  const { data: methods, error, refetch } = useQuery(signInMethodsQuery(api));
  if (methods === undefined) {
    return (
      <SettingsSection title="Password">
        {error === null ? (
          <div className="mt-5">
            <Skeleton name="Loading how you sign in" widths={['w-1/3', 'w-full', 'w-1/4']} />
          </div>
        ) : (
          <div role="alert" className="mt-3 flex flex-col items-start gap-3">
            <p>How you sign in could not be read. {sentenceFor(error)}</p>
            <Button onClick={() => refetch()}>Try again</Button>
          </div>
        )}
      </SettingsSection>
    );
  }
  const names = methods.providers.map((provider) => provider_names[provider] ?? provider);
  return (
    <>
      <SettingsSection title="Password">
        {methods.password ? <ChangePasswordForm me={me} /> : <NoPassword me={me} names={names} />}
      </SettingsSection>
      {names.length > 0 && (
        <SettingsSection title="Connected accounts">
          <p className="mt-1.5 text-muted">You can also sign in with these.</p>
          <ul className="mt-4 flex flex-col gap-2">
            {names.map((name) => (
              <li key={name} className="rounded-md border border-line bg-surface px-4 py-3 font-medium">
                {name}
              </li>
            ))}
          </ul>
        </SettingsSection>
      )}
    </>
  );
}

function NoPassword({ me, names }: { me: Me; names: string[] }) {
  return (
    <>
      <p className="mt-1.5 mb-4 text-muted">
        You have no password{names.length > 0 && `: you sign in with ${names.join(' or ')}`}. To have one as
        well, set it by a link that we mail to you.
      </p>
      <MailPasswordLink me={me} action="Mail me the link" />
    </>
  );
}

function SignOutEverywhere() {
  const [asking, setAsking] = useState(false);
  return (
    <>
      <p className="mt-1.5 mb-4 text-muted">
        Lost a device, or signed in on one that is not yours? This ends every sign-in, on this device too.
      </p>
      <Button onClick={() => setAsking(true)}>Sign out everywhere</Button>
      {asking && <SignOutEverywhereDialog onClose={() => setAsking(false)} />}
    </>
  );
}
