import { useQuery, useQueryClient } from '@tanstack/react-query';
import Download from 'lucide-react/icons/download';
import { useEffect, useRef, useState } from 'react';
import { sentenceFor } from '../../platform/api-error.ts';
import { Button } from '../../platform/button.tsx';
import { Problem } from '../../platform/fields.tsx';
import { usePlatform } from '../../platform/platform-context.ts';
import { useFormats } from '../formats.ts';
import { type DataExport, downloadExport, exportsKey, exportsQuery, isBeingMade } from './data-export.ts';

/** A copy of everything that is held of the member: asked for, watched, downloaded. */
export function ExportSection() {
  const { api } = usePlatform();
  const queryClient = useQueryClient();
  const { data: exports = [], error } = useQuery(exportsQuery(api));
  const [asking, setAsking] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const being_made = exports.some(isBeingMade);

  const ask = async () => {
    if (asking || being_made) return;
    setAsking(true);
    setProblem(null);
    try {
      const made = await api.post<DataExport>('/api/me/exports');
      const others = exports.filter(({ id }) => id !== made.id);
      queryClient.setQueryData<DataExport[]>(exportsKey, [made, ...others]);
    } catch (refusal) {
      setProblem(sentenceFor(refusal));
    } finally {
      setAsking(false);
      void queryClient.invalidateQueries({ queryKey: exportsKey });
    }
  };

  return (
    <>
      <p className="mt-1.5 mb-4 text-muted">
        One ZIP file with everything we hold of you: your profile, your chats as text and as data, your files
        as you gave them, and what you used. It takes a moment to make; we mail you when it is ready.
      </p>
      <Button aria-disabled={asking || being_made} onClick={() => void ask()}>
        {being_made ? 'Your copy is being made' : exports.length > 0 ? 'Make a new copy' : 'Make a copy'}
      </Button>
      <Problem className="mt-4">
        {problem ?? (error && `Your copies could not be read. ${sentenceFor(error)}`)}
      </Problem>
      {exports.length > 0 && (
        <ul aria-label="Your copies" className="mt-4 flex flex-col gap-3">
          {exports.map((made) => (
            <ExportItem key={made.id} made={made} />
          ))}
        </ul>
      )}
      <Announcer newest={exports[0]} />
    </>
  );
}

function ExportItem({ made }: { made: DataExport }) {
  const { api } = usePlatform();
  const { date, moment, size } = useFormats();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);

  const download = async () => {
    if (busy) return;
    setBusy(true);
    setProblem(null);
    try {
      await downloadExport(api, made);
    } catch (error) {
      setProblem(`The copy was not downloaded. ${sentenceFor(error)}`);
    } finally {
      setBusy(false);
    }
  };

  return (
    <li className="rounded-md border border-line bg-surface px-4 py-3">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
        <div className="min-w-0 flex-1 basis-56">
          <p className="font-medium">Copy of {moment(made.created_at)}</p>
          <p className="text-small text-muted">{stateOf(made, { date, size })}</p>
        </div>
        {made.status === 'ready' && (
          <Button aria-disabled={busy} onClick={() => void download()}>
            <Download size={16} aria-hidden="true" />
            {busy ? 'Downloading' : 'Download'}
          </Button>
        )}
      </div>
      {isBeingMade(made) && (
        <progress
          aria-label="Making your copy"
          max={made.parts_total || 1}
          value={made.parts_done}
          className="mt-2.5 block h-1.5 w-full appearance-none overflow-hidden rounded-full bg-line accent-pitch [&::-moz-progress-bar]:bg-link [&::-webkit-progress-bar]:bg-line [&::-webkit-progress-value]:bg-link"
        />
      )}
      <Problem className="mt-2">{problem}</Problem>
    </li>
  );
}

function stateOf(
  { status, parts_done, parts_total, size_bytes, expires_at }: DataExport,
  { date, size }: { date: (at: string) => string; size: (size_bytes: number) => string },
) {
  switch (status) {
    case 'queued':
      return 'It is about to be made.';
    case 'running':
      return parts_total > 0 ? `${parts_done} of ${parts_total} parts are in it.` : 'It is being made.';
    case 'failed':
      return 'It could not be made. Nothing of yours was changed; make a new one.';
    case 'ready': {
      const until = expires_at && `you can download it until ${date(expires_at)}`;
      const facts = [size_bytes !== null && size(size_bytes), until].filter(Boolean).join(', ');
      return facts && `${facts}.`;
    }
  }
}

/** Says when a copy that was being made is ready, to whoever does not see it. */
function Announcer({ newest }: { newest: DataExport | undefined }) {
  const watched = useRef<string | null>(null);
  const [words, setWords] = useState('');
  const { id, status } = newest ?? {};
  useEffect(() => {
    if (id === undefined || status === undefined) return;
    if (status === 'queued' || status === 'running') {
      watched.current = id;
      setWords('Your copy is being made.');
    } else if (watched.current === id) {
      setWords(status === 'ready' ? 'Your copy is ready.' : 'Your copy could not be made.');
    }
  }, [id, status]);
  return (
    <p role="status" className="sr-only">
      {words}
    </p>
  );
}
