import { useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { useEffect, useRef } from 'react';
import { type Coach, useCoaches } from '../coaches/coach.ts';
import { CoachIntro } from '../coaches/coach-intro.tsx';
import { sentenceFor } from '../platform/api-error.ts';
import { Button } from '../platform/button.tsx';
import { newId } from '../platform/new-id.ts';
import { PracticeLine } from '../platform/practice-line.tsx';
import { ProblemPage } from '../platform/problem-page.tsx';
import { ScrollRegion } from '../platform/scroll-region.tsx';
import { Skeleton } from '../platform/skeleton.tsx';
import { useFocusOnArrival } from '../platform/use-focus-on-arrival.ts';
import { isTouchScreen } from '../platform/use-media-query.ts';
import { useChat } from './chat-context.ts';
import { Composer, type ComposerHandle } from './composer.tsx';
import { DraftDropZone } from './draft-drop-zone.tsx';
import { seedMessages } from './message.ts';

const route = getRouteApi('/member/coaches/$slug');

/** The draft of a chat that has not begun, one for each coach. */
const newChatDraftKey = (slug: string) => `new-${slug}`;

/** A coach, and the first message to it. */
export function NewChatPage() {
  const { slug } = route.useParams();
  const { data: coaches, error, refetch } = useCoaches();
  const coach = coaches?.find((candidate) => candidate.slug === slug);
  if (coach !== undefined) return <NewChat key={slug} coach={coach} />;
  if (coaches !== undefined) {
    return (
      <ProblemPage
        inside
        title="This coach is not here"
        actions={
          <Link to="/" className="text-link underline">
            Choose another coach
          </Link>
        }
      >
        <p>It may have been renamed or switched off. Your chats with it are still in the list.</p>
      </ProblemPage>
    );
  }
  return (
    <div className="mx-auto w-full max-w-column px-5 py-14">
      {error === null ? (
        <Skeleton name="Loading the coach" widths={['w-1/3', 'w-full', 'w-3/4']} />
      ) : (
        <div role="alert" className="flex flex-col items-start gap-3">
          <p>{sentenceFor(error)}</p>
          <Button onClick={() => refetch()}>Try again</Button>
        </div>
      )}
    </div>
  );
}

function NewChat({ coach }: { coach: Coach }) {
  const { starter } = route.useSearch();
  const navigate = useNavigate();
  const queryClient = useQueryClient();
  const { drafts, liveTurns } = useChat();
  const composer = useRef<ComposerHandle>(null);
  const draft_key = newChatDraftKey(coach.slug);
  const heading = useFocusOnArrival<HTMLHeadingElement>(coach.slug, isTouchScreen());

  const takeStarter = (words: string) => {
    const written = drafts.get(draft_key).content.trim();
    const keep = written !== '' && !coach.starters.includes(written) && !written.endsWith(words);
    drafts.write(draft_key, keep ? `${written}\n\n${words}` : written.endsWith(words) ? written : words);
    composer.current?.focus();
  };
  const chosen = starter === undefined ? undefined : coach.starters[starter - 1];
  // biome-ignore lint/correctness/useExhaustiveDependencies: a starter in the address is written down once.
  useEffect(() => {
    if (chosen === undefined) return;
    takeStarter(chosen);
    void navigate({ to: '/coaches/$slug', params: { slug: coach.slug }, replace: true });
  }, [chosen]);

  const send = () => {
    const chat_session_id = newId();
    const taken = drafts.take(draft_key);
    seedMessages(queryClient, chat_session_id);
    const request = { assistant_slug: coach.slug, ...taken, repeats_message_id: null, draft_key };
    liveTurns.begin(newId(), chat_session_id, request);
    void navigate({ to: '/chats/$chatSessionId', params: { chatSessionId: chat_session_id } });
  };

  return (
    <DraftDropZone draft_key={draft_key}>
      <title>{`${coach.name} · Touchline`}</title>
      <ScrollRegion name={`About ${coach.name}`} className="min-h-0 flex-1 overflow-y-auto">
        <div className="mx-auto max-w-[calc(var(--container-column)+2.5rem)] px-5 pt-8 pb-10 sm:pt-14">
          <h1 ref={heading} tabIndex={-1} className="font-display text-display">
            {coach.name}
          </h1>
          <CoachIntro coach={coach} onStarter={takeStarter} />
        </div>
      </ScrollRegion>
      <div className="px-3 pb-2 sm:px-5">
        <Composer
          handle={composer}
          draft_key={draft_key}
          coach={coach}
          placeholder={`Write to ${coach.name}`}
          running={false}
          stopping={false}
          blocked={null}
          onSend={send}
          onStop={() => {}}
        />
      </div>
      <PracticeLine />
    </DraftDropZone>
  );
}
