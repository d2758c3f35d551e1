import { useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { sentenceFor } from '../../platform/api-error.ts';
import { Button } from '../../platform/button.tsx';
import { Done, Problem } from '../../platform/fields.tsx';
import { usePlatform } from '../../platform/platform-context.ts';
import { useObjectUrl } from '../../platform/use-object-url.ts';
import { Avatar } from '../avatar.tsx';
import { type Me, noteMe } from '../me.ts';
import { picture_types, pictureRefusal } from './picture-refusal.ts';

type Work = { what: 'uploading'; share: number; cancel: () => void } | { what: 'removing' };

/** The member's picture: chosen, looked at, then uploaded; or removed. */
export function AvatarEditor({ me }: { me: Me }) {
  const { api } = usePlatform();
  const queryClient = useQueryClient();
  const picker = useRef<HTMLInputElement>(null);
  const choose_button = useRef<HTMLButtonElement>(null);
  const [chosen, setChosen] = useState<File>();
  const [work, setWork] = useState<Work | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [done, setDone] = useState<string | null>(null);
  const preview_url = useObjectUrl(chosen);
  const has_picture = me.avatar_url !== null;

  const choose = (file: File) => {
    const refusal = pictureRefusal(file);
    setDone(null);
    setProblem(refusal);
    setChosen(refusal === null ? file : undefined);
  };

  const settle = (next: { problem?: string; done?: string; chosen?: File }) => {
    setWork(null);
    setProblem(next.problem ?? null);
    setDone(next.done ?? null);
    setChosen(next.chosen);
    // What was pressed goes away; what it was about stays.
    if (next.chosen === undefined) choose_button.current?.focus();
  };

  async function upload(file: File) {
    if (work !== null) return;
    const abort = new AbortController();
    const cancel = () => abort.abort();
    setProblem(null);
    setWork({ what: 'uploading', share: 0, cancel });
    try {
      const answer = await api.upload<Me>('/api/me/avatar', {
        method: 'PUT',
        body: file,
        signal: abort.signal,
        onProgress: (share) => setWork({ what: 'uploading', share, cancel }),
      });
      noteMe(queryClient, answer);
      settle({ done: 'Your new picture is in place.' });
    } catch (error) {
      if (abort.signal.aborted) settle({});
      else settle({ problem: `Your picture is as it was. ${sentenceFor(error)}`, chosen: file });
    }
  }

  async function remove() {
    if (work !== null) return;
    setProblem(null);
    setDone(null);
    setWork({ what: 'removing' });
    try {
      noteMe(queryClient, await api.delete<Me>('/api/me/avatar'));
      settle({ done: 'Your picture is removed.' });
    } catch (error) {
      settle({ problem: `Your picture was not removed. ${sentenceFor(error)}` });
    }
  }

  const uploading = work?.what === 'uploading' ? work : null;
  const percent = Math.round((uploading?.share ?? 0) * 100);
  return (
    <div className="mt-5 flex items-start gap-5">
      {preview_url ? (
        <img
          src={preview_url}
          alt="As it will look"
          onError={() => {
            setChosen(undefined);
            setProblem('This file does not open as a picture. Choose another one.');
          }}
          className="size-24 shrink-0 rounded-full bg-sunken object-cover"
        />
      ) : (
        <Avatar me={me} className="size-24 text-display" />
      )}
      <div className="flex min-w-0 flex-1 flex-col gap-3">
        <input
          ref={picker}
          type="file"
          hidden
          accept={picture_types.join(',')}
          onChange={({ target }) => {
            const file = target.files?.[0];
            if (file !== undefined) choose(file);
            target.value = '';
          }}
        />
        <div className="flex flex-wrap gap-2.5">
          {chosen !== undefined && (
            <Button look="primary" aria-disabled={work !== null} onClick={() => void upload(chosen)}>
              {uploading ? 'Uploading' : 'Use this picture'}
            </Button>
          )}
          <Button
            ref={choose_button}
            aria-disabled={work !== null}
            onClick={() => work === null && picker.current?.click()}
          >
            {chosen !== undefined ? 'Choose another' : has_picture ? 'Change picture' : 'Choose a picture'}
          </Button>
          {chosen !== undefined && <Button onClick={uploading?.cancel ?? (() => settle({}))}>Cancel</Button>}
          {chosen === undefined && has_picture && (
            <Button aria-disabled={work !== null} onClick={() => void remove()}>
              {work?.what === 'removing' ? 'Removing' : 'Remove'}
            </Button>
          )}
        </div>
        {uploading && (
          <div className="flex items-center gap-3 text-small text-muted">
            <progress
              aria-label="Uploading your picture"
              max={100}
              value={percent}
              className="block h-1.5 min-w-0 flex-1 appearance-none overflow-hidden rounded-full bg-line accent-pitch [&::-moz-progress-bar]:bg-link [&::-webkit-progress-bar]:bg-line [&::-webkit-progress-value]:bg-link"
            />
            <span className="tabular-nums">{percent < 100 ? `${percent} %` : 'Almost there'}</span>
          </div>
        )}
        <p className="text-small text-muted">
          PNG, JPEG or WebP, up to 5 MB. It is cut to a square; what else the file tells, such as where it was
          taken, is not kept.
        </p>
        <Problem>{problem}</Problem>
        <Done>{done}</Done>
      </div>
    </div>
  );
}
