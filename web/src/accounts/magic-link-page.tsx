import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { takeReturn } from './kept-return.ts';
import { LinkClick } from './link-click.tsx';
import { button_link_look, LinkProblem } from './link-problem.tsx';
import { useLink } from './use-link.ts';

/** Signs in by a link from a mail, once it is clicked: programs that look into mails open links, too. */
export function MagicLinkPage() {
  const link = useLink('/magic-link', 'magiclink');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  if (link.state !== 'ready') {
    return (
      <LinkProblem state={link.state} reason={link.reason}>
        <p>
          <Link to="/sign-in" className={button_link_look}>
            Ask for a new link
          </Link>
        </p>
      </LinkProblem>
    );
  }
  const signIn = async () => {
    if (busy) return;
    setBusy(true);
    setProblem(null);
    const { problem } = await link.open();
    // Anew: who was signed in here before may have been somebody else.
    if (problem === null) return location.replace(takeReturn());
    setBusy(false);
    setProblem(problem);
  };
  return (
    <LinkClick
      title="Sign in with your link"
      lead="One click, and you are in. No password needed."
      label="Sign in"
      busy_label="Signing in"
      busy={busy}
      problem={problem}
      onClick={signIn}
    />
  );
}
