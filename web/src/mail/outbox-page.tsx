import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { sentenceFor } from '../platform/api-error.ts';
import { Button } from '../platform/button.tsx';
import { Mark } from '../platform/mark.tsx';
import { usePlatform } from '../platform/platform-context.ts';
import { ProblemPage } from '../platform/problem-page.tsx';
import { ScrollRegion } from '../platform/scroll-region.tsx';
import { Skeleton } from '../platform/skeleton.tsx';
import { useFocusOnArrival } from '../platform/use-focus-on-arrival.ts';
import { type OutboxEntry, outboxMailQuery, outboxQuery } from './outbox.ts';
import { splitLinks } from './split-links.ts';

const route = getRouteApi('/outbox');

/** The mails that were not sent but kept on this machine. Where mails are sent there is no such page. */
export function OutboxPage() {
  const { config } = usePlatform();
  if (!config.outbox) {
    return (
      <ProblemPage
        title="There is no outbox here"
        actions={
          <Link to="/" className="text-link underline">
            Go to your coaches
          </Link>
        }
      >
        <p>Mails from here are sent to your inbox. Look there, and into spam.</p>
      </ProblemPage>
    );
  }
  return <Outbox />;
}

function Outbox() {
  const { api } = usePlatform();
  const { data: mails, error, refetch } = useQuery(outboxQuery(api));
  const { mail: chosen } = route.useSearch();
  const heading = useFocusOnArrival<HTMLHeadingElement>('outbox');
  // Without a choice the newest is open: whoever waits for a mail sees it come.
  const open = chosen ?? mails?.[0]?.id;
  return (
    <div className="flex min-h-full flex-col md:h-dvh">
      <title>Outbox · Touchline</title>
      <header className="flex flex-wrap items-center gap-x-6 gap-y-1 border-b border-line px-5 py-3">
        <Link to="/" className="flex items-center gap-2.5 rounded-md font-display text-lead">
          <Mark className="size-7" />
          Touchline
        </Link>
        <p className="text-small text-muted">No mail server is set: mails stay on this machine.</p>
      </header>
      <main id="content" className="flex min-h-0 flex-1 flex-col md:flex-row">
        <div className="flex min-h-0 shrink-0 flex-col border-line max-md:border-b md:w-80 md:border-r">
          <h1 ref={heading} tabIndex={-1} className="px-5 pt-5 pb-2 font-display text-title">
            Outbox
          </h1>
          {mails === undefined && error === null && (
            <div className="px-5 py-3">
              <Skeleton name="Loading the mails" widths={['w-4/5', 'w-2/3', 'w-3/4']} />
            </div>
          )}
          {error !== null && (
            <div role="alert" className="flex flex-col items-start gap-2 px-5 py-2 text-small">
              <p>{sentenceFor(error)}</p>
              <Button onClick={() => refetch()}>Try again</Button>
            </div>
          )}
          {mails?.length === 0 && (
            <p className="px-5 pb-5 text-muted">No mail yet. This page looks every few seconds.</p>
          )}
          {mails !== undefined && mails.length > 0 && <MailList mails={mails} open={open} />}
          <p role="status" className="sr-only">
            {mails?.[0] && `Newest mail: ${mails[0].subject}, to ${mails[0].to}`}
          </p>
        </div>
        {open !== undefined ? <MailView id={open} /> : mails?.length === 0 && <WhatLandsHere />}
      </main>
    </div>
  );
}

function MailList({ mails, open }: { mails: OutboxEntry[]; open: string | undefined }) {
  return (
    <nav
      aria-label="Mails"
      data-scrolls
      className="max-h-60 overflow-y-auto px-2.5 pb-3 md:max-h-none md:flex-1"
    >
      <ul className="flex flex-col gap-0.5">
        {mails.map(({ id, to, subject, sent_at }) => (
          <li key={id}>
            <Link
              to="/outbox"
              search={{ mail: id }}
              aria-current={id === open ? 'page' : undefined}
              className="block rounded-md px-2.5 py-2 hover:bg-hover aria-[current=page]:bg-hover"
            >
              <span className="block truncate font-medium">{subject}</span>
              <span className="flex justify-between gap-3 text-small text-muted">
                <span className="truncate">{to}</span>
                <When at={sent_at} />
              </span>
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}

function When({ at }: { at: string }) {
  const date = new Date(at);
  const is_today = date.toDateString() === new Date().toDateString();
  return (
    <time dateTime={at} className="shrink-0">
      {is_today
        ? date.toLocaleTimeString('en', { hour: 'numeric', minute: '2-digit' })
        : date.toLocaleDateString('en', { day: 'numeric', month: 'short' })}
    </time>
  );
}

function MailView({ id }: { id: string }) {
  const { api } = usePlatform();
  const { data: mail, error } = useQuery(outboxMailQuery(api, id));
  return (
    <ScrollRegion name="Mail" className="min-h-0 flex-1 overflow-y-auto px-5 py-6 md:px-10">
      {error !== null && <p role="alert">{sentenceFor(error)}</p>}
      {error === null && mail === undefined && (
        <Skeleton name="Loading the mail" widths={['w-1/2', 'w-2/3', 'w-3/5']} />
      )}
      {error === null && mail !== undefined && (
        <article aria-label={mail.subject} className="max-w-column">
          <h2 className="font-display text-title">{mail.subject}</h2>
          <p className="mt-1 mb-6 text-small text-muted">
            To {mail.to} ·{' '}
            {new Date(mail.sent_at).toLocaleString('en', { dateStyle: 'long', timeStyle: 'medium' })}
          </p>
          <p className="text-body whitespace-pre-wrap">
            {splitLinks(mail.text).map(({ text, href }, position) =>
              href === null ? (
                text
              ) : (
                <a
                  // biome-ignore lint/suspicious/noArrayIndexKey: a mail never changes.
                  key={position}
                  href={href}
                  rel="noopener noreferrer"
                  target={new URL(href).origin === location.origin ? undefined : '_blank'}
                  className="break-all text-link underline"
                >
                  {text}
                </a>
              ),
            )}
          </p>
        </article>
      )}
    </ScrollRegion>
  );
}

function WhatLandsHere() {
  return (
    <section className="flex max-w-column flex-col gap-3 px-5 py-6 text-body md:px-10">
      <h2 className="font-display text-title">What lands here</h2>
      <p>
        Every mail that Touchline would send from this machine, word for word: when somebody becomes an
        operator, for example. The newest hundred are kept.
      </p>
      <p className="text-muted">
        They are not sent because no mail server is set. To send them, put{' '}
        <code className="rounded-sm bg-sunken px-1 font-mono text-small">SMTP_HOST</code> and{' '}
        <code className="rounded-sm bg-sunken px-1 font-mono text-small">MAIL_FROM</code> into{' '}
        <code className="rounded-sm bg-sunken px-1 font-mono text-small">.env</code> and start Touchline
        again; its README tells the other settings of mail.
      </p>
    </section>
  );
}
