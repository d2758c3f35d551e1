import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useCallback, useEffect, useRef, useState } from 'react';
import { useCoach } from '../coaches/coach.ts';
import { PassagePanel } from '../files/passage-panel.tsx';
import { ApiError, sentenceFor } from '../platform/api-error.ts';
import { Button } from '../platform/button.tsx';
import { usePlatform } from '../platform/platform-context.ts';
import { PracticeLine } from '../platform/practice-line.tsx';
import { ProblemPage } from '../platform/problem-page.tsx';
import { Skeleton } from '../platform/skeleton.tsx';
import { useFocusOnArrival } from '../platform/use-focus-on-arrival.ts';
import { isTouchScreen } from '../platform/use-media-query.ts';
import { useChat, useEditedMessageId, useLiveTurn } from './chat-context.ts';
import { chatSessionQuery } from './chat-session.ts';
import { Composer, type ComposerHandle } from './composer.tsx';
import { failureOf, isFree } from './conversation.ts';
import { ConversationView } from './conversation-view.tsx';
import { DraftDropZone } from './draft-drop-zone.tsx';
import { FailedTurnNotice, unsentSentence } from './failed-turn-notice.tsx';
import { isRunning, isUnsent } from './live-turn.ts';
import { type Citation, messagesQuery } from './message.ts';
import { ReplyAnnouncer } from './reply-announcer.tsx';
import { useLostEdit } from './use-lost-edit.ts';
import { useTurnActions } from './use-turn-actions.ts';

const route = getRouteApi('/member/chats/$chatSessionId');

/** One chat with a coach. */
export function ChatPage() {
  const { chatSessionId } = route.useParams();
  return <Chat key={chatSessionId} chat_session_id={chatSessionId} />;
}

function Chat({ chat_session_id }: { chat_session_id: string }) {
  const { api } = usePlatform();
  const { drafts, liveTurns } = useChat();
  const live = useLiveTurn(chat_session_id);
  // A chat's row is made by its first turn; before that the server knows nothing of it.
  const beginning = live?.request != null && live.user_message_id === null;
  const session = useQuery({ ...chatSessionQuery(api, chat_session_id), enabled: !beginning });
  const history = useInfiniteQuery({ ...messagesQuery(api, chat_session_id), enabled: !beginning });
  const assistant_slug = session.data?.assistant_slug ?? live?.request?.assistant_slug;
  const coach = useCoach(assistant_slug);
  const [citation, setCitation] = useState<Citation | null>(null);
  const composer = useRef<ComposerHandle>(null);
  const heading = useFocusOnArrival<HTMLHeadingElement>(chat_session_id, isTouchScreen());
  const actions = useTurnActions(chat_session_id, assistant_slug);
  const edited_message_id = useEditedMessageId(chat_session_id);
  useLostEdit(chat_session_id, edited_message_id, history.data?.messages);

  const running_id = history.data?.running_turn?.id;
  useEffect(() => {
    if (running_id !== undefined && !isRunning(liveTurns.store.get(chat_session_id))) {
      liveTurns.join(running_id, chat_session_id);
    }
  }, [running_id, chat_session_id, liveTurns]);

  // What did not get through goes on by itself when the network is back.
  useEffect(() => {
    const takeUp = () => liveTurns.takeUp(chat_session_id);
    addEventListener('online', takeUp);
    return () => removeEventListener('online', takeUp);
  }, [chat_session_id, liveTurns]);

  const opener = useRef<Element | null>(null);
  const openCitation = useCallback((next: Citation) => {
    opener.current = document.activeElement;
    setCitation(next);
  }, []);
  const closeCitation = () => {
    setCitation(null);
    if (opener.current instanceof HTMLElement) opener.current.focus();
  };

  const problem = session.error ?? (history.data === undefined ? history.error : null);
  if (problem instanceof ApiError && problem.status === 404) return <ChatNotFound />;

  const running = isRunning(live) || running_id !== undefined;
  const free = isFree(history.data, live);
  const failure = failureOf(history.data, live);
  // What was pressed goes away; the field for the next message takes the focus. On a touch screen that would open the keyboard.
  const focusComposer = () => {
    if (!isTouchScreen()) composer.current?.focus();
  };
  const failed_message = history.data?.messages.find(({ id }) => id === failure?.user_message_id);
  const title = session.data?.title || live?.title || coach?.name || 'Chat';

  return (
    <div className="flex min-h-0 min-w-0 flex-1">
      <title>{`${title} · Touchline`}</title>
      <DraftDropZone draft_key={chat_session_id}>
        <h1 ref={heading} tabIndex={-1} className="sr-only">
          {title}
        </h1>
        <ConversationView
          chat_session_id={chat_session_id}
          history={history.data}
          live={live}
          coach={coach}
          loadEarlier={
            history.hasNextPage && !history.isFetchingNextPage && !history.isError
              ? () => void history.fetchNextPage()
              : null
          }
          onCitation={openCitation}
          free={free}
          failed={failure !== null}
          edited_message_id={edited_message_id}
          onEdit={actions.edit}
          onSendEdit={() => {
            actions.sendEdit();
            focusComposer();
          }}
          onCancelEdit={actions.cancelEdit}
          onAnswerAgain={(message_id) => {
            actions.answerAgain(message_id);
            focusComposer();
          }}
          above={
            <>
              {history.isFetchingNextPage && (
                // It takes no room, so that what is being read stays where it is.
                <div className="absolute inset-x-5 top-1">
                  <Skeleton name="Loading earlier messages" widths={['w-1/2']} />
                </div>
              )}
              {history.isError && history.data !== undefined && (
                <div role="alert" className="flex items-center gap-3 text-small">
                  <p>Earlier messages did not load. {sentenceFor(history.error)}</p>
                  <Button onClick={() => history.fetchNextPage()}>Try again</Button>
                </div>
              )}
              {history.data === undefined && problem === null && !beginning && (
                <Skeleton name="Loading the chat" widths={['w-1/3', 'w-full', 'w-11/12', 'w-3/4']} />
              )}
              {problem !== null && (
                <div role="alert" className="flex flex-col items-start gap-3">
                  <p>{sentenceFor(problem)}</p>
                  <Button onClick={() => Promise.all([session.refetch(), history.refetch()])}>
                    Try again
                  </Button>
                </div>
              )}
            </>
          }
          below={
            failure && (
              <FailedTurnNotice
                failure={failure}
                live={live}
                onRetry={() => {
                  actions.retry(failure);
                  focusComposer();
                }}
                onTakeBack={() => {
                  actions.takeBack();
                  // An edit opens again and takes the focus itself.
                  if (!live?.request?.edits_message_id) composer.current?.focus();
                }}
                onEdit={
                  free && failed_message
                    ? () => actions.edit({ ...failed_message, message_id: failed_message.id })
                    : null
                }
              />
            )
          }
        />
        <ReplyAnnouncer turn={live} name={coach?.name ?? 'Your coach'} />
        <div className="px-3 pb-1 sm:px-5">
          <Composer
            handle={composer}
            draft_key={chat_session_id}
            coach={coach}
            placeholder={coach ? `Write to ${coach.name}` : 'Write your message'}
            running={running}
            opening={assistant_slug === undefined}
            stopping={live?.stopping ?? false}
            blocked={
              live !== undefined && isUnsent(live) && drafts.get(chat_session_id).content !== ''
                ? unsentSentence(live)
                : null
            }
            onSend={actions.send}
            onStop={actions.stop}
          />
          <CautionLine />
        </div>
        <PracticeLine />
      </DraftDropZone>
      {citation !== null && <PassagePanel reference={citation} onClose={closeCitation} />}
    </div>
  );
}

function CautionLine() {
  const { config } = usePlatform();
  if (config.model === 'practice') return null;
  return (
    <p className="py-1.5 text-center text-small text-muted">
      A coach can be wrong. Check what matters to you.
    </p>
  );
}

function ChatNotFound() {
  return (
    <ProblemPage
      inside
      title="This chat is not here"
      actions={
        <Link to="/" className="text-link underline">
          Choose a coach
        </Link>
      }
    >
      <p>It was deleted, or it belongs to another account. Your other chats are in the list.</p>
    </ProblemPage>
  );
}
