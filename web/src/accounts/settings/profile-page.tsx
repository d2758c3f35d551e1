import { useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useEffect, useMemo, useState } from 'react';
import { ApiError, sentenceFor } from '../../platform/api-error.ts';
import { Button } from '../../platform/button.tsx';
import { Done, Problem, SelectField, TextField } from '../../platform/fields.tsx';
import { usePlatform } from '../../platform/platform-context.ts';
import { createFormats } from '../formats.ts';
import { type Me, noteMe } from '../me.ts';
import { AvatarEditor } from './avatar-editor.tsx';
import { forgetTyped, keepTyped, readTyped } from './kept-fields.ts';
import { languageChoices, languageName, timeZoneChoices, timeZoneName } from './languages.ts';
import { SettingsPage, SettingsSection } from './settings-frame.tsx';

/** The member's name, picture, language and time zone. */
export function ProfilePage() {
  return (
    <SettingsPage title="Profile" lead="Who you are, and how dates and times are written for you.">
      {(me) => (
        <>
          <SettingsSection title="Picture">
            <AvatarEditor me={me} />
          </SettingsSection>
          <SettingsSection title="About you">
            <ProfileForm me={me} />
          </SettingsSection>
        </>
      )}
    </SettingsPage>
  );
}

/** What can be changed, as it stands in the fields: empty stands for none, or for the browser's. */
const changeable = ['user_name', 'organization_name', 'language', 'time_zone'] as const;
type Changeable = (typeof changeable)[number];

const not_saved = 'Your changes are not saved yet.';

function ProfileForm({ me }: { me: Me }) {
  const { api } = usePlatform();
  const queryClient = useQueryClient();
  // Only what was touched stands here, so that what another tab saves shows in the other fields.
  const [typed, setTyped] = useState(() => readTyped<Changeable>('profile', me.id));
  const [state, setState] = useState<'idle' | 'saving' | 'saved'>('idle');
  const [problem, setProblem] = useState(Object.keys(typed).length > 0 ? not_saved : null);
  useEffect(() => forgetTyped('profile', me.id), [me.id]);
  const browser = new Intl.DateTimeFormat().resolvedOptions();

  const field = (name: Changeable) => ({
    name,
    value: typed[name] ?? me[name] ?? '',
    onChange: ({ target }: { target: { value: string } }) => {
      setTyped({ ...typed, [name]: target.value });
      setState('idle');
    },
  });
  const language = field('language').value || null;
  const time_zone = field('time_zone').value || null;
  const languages = useMemo(
    () => languageChoices([me.language, browser.locale]),
    [me.language, browser.locale],
  );
  const zones = useMemo(
    () => timeZoneChoices([me.time_zone, browser.timeZone]),
    [me.time_zone, browser.timeZone],
  );

  const save = async (event: FormEvent) => {
    event.preventDefault();
    if (state === 'saving') return;
    setState('saving');
    setProblem(null);
    try {
      const changes = changeable.flatMap((name) => {
        const value = typed[name]?.trim() || null;
        return typed[name] === undefined || value === me[name] ? [] : [[name, value] as const];
      });
      if (changes.length > 0)
        noteMe(queryClient, await api.patch<Me>('/api/me', Object.fromEntries(changes)));
      setTyped({});
      setState('saved');
    } catch (error) {
      setProblem(`${not_saved} ${sentenceFor(error)}`);
      setState('idle');
      if (error instanceof ApiError && error.status === 401) keepTyped('profile', me.id, typed);
    }
  };

  return (
    <form onSubmit={save} className="mt-5 flex flex-col gap-5">
      <TextField {...field('user_name')} label="Name" autoComplete="name" maxLength={100} />
      <TextField
        {...field('organization_name')}
        label="Organisation"
        autoComplete="organization"
        maxLength={100}
      />
      <SelectField
        {...field('language')}
        label="Language"
        hint="Dates, times and numbers follow it. The pages themselves are in English."
      >
        <option value="">Like this browser: {languageName(browser.locale)}</option>
        {languages.map(({ tag, name }) => (
          <option key={tag} value={tag} lang={tag}>
            {name}
          </option>
        ))}
      </SelectField>
      <SelectField
        {...field('time_zone')}
        label="Time zone"
        hint={
          <>
            With these two, now is <Now language={language} time_zone={time_zone} />.
          </>
        }
      >
        <option value="">Like this browser: {browser.timeZone.replaceAll('_', ' ')}</option>
        {[...zones].map(([part, names]) => (
          <optgroup key={part} label={part}>
            {names.map((zone) => (
              <option key={zone} value={zone}>
                {timeZoneName(zone)}
              </option>
            ))}
          </optgroup>
        ))}
      </SelectField>
      <Problem>{problem}</Problem>
      <div className="flex flex-wrap items-center gap-4">
        <Button type="submit" look="primary" aria-disabled={state === 'saving'} className="min-h-11">
          {state === 'saving' ? 'Saving' : 'Save changes'}
        </Button>
        <Done>{state === 'saved' && 'Saved.'}</Done>
      </div>
    </form>
  );
}

function Now({ language, time_zone }: { language: string | null; time_zone: string | null }) {
  const text = createFormats(language, time_zone).moment(new Date());
  return (
    <span lang={language ?? undefined} className="text-ink">
      {text}
    </span>
  );
}
