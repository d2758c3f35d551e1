import { useRouter } from '@tanstack/react-router';

/** Only a path on this site may be returned to; anything else would let a link lead away after signing in. */
export function safeReturnPath(next: string | undefined) {
  return next !== undefined && /^\/(?![/\\])/.test(next) && !next.startsWith('/sign-') ? next : '/';
}

/** Goes back to where the member was before signing in. */
export function useReturn() {
  const router = useRouter();
  return async (next: string | undefined) => {
    router.history.replace(safeReturnPath(next));
    await router.invalidate();
  };
}
