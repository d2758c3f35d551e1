import { useRouter } from '@tanstack/react-router';

const base = 'http://here.invalid';
/** Pages for those who are out: coming back to one of them would lead round in a circle. */
const out_paths = /^\/(sign-in|sign-up|forgot-password|reset-password|magic-link|auth)(\/|$)/;

/** Only a path on this site may be returned to; anything else would let a link lead away after signing in. */
export function safeReturnPath(next: string | null | undefined) {
  if (!next?.startsWith('/') || !URL.canParse(next, base)) return '/';
  // As a browser reads it: tabs in it, backslashes and dots could hide another site.
  const { origin, pathname, search, hash } = new URL(next, base);
  if (origin !== base || pathname.startsWith('//') || out_paths.test(pathname)) return '/';
  return pathname + search + hash;
}

/** Goes back to where the member was before signing in. */
export function useReturn() {
  const router = useRouter();
  return async (next: string | undefined) => {
    router.history.replace(safeReturnPath(next));
    await router.invalidate();
  };
}
