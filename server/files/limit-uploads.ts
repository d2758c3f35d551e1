import { AppError } from '../platform/errors.ts';

/** As many as one message takes, and as a browser sends side by side. */
const max_at_once = 10;

/**
 * Bounds what one member occupies of this process: runs `work`, or throws `too_many_requests` while ten of that
 * member's uploads are being received, wait or are read.
 */
export function limitUploads() {
  const running = new Map<string, number>();
  return async <T>(auth_id: string, work: () => Promise<T>): Promise<T> => {
    const count = running.get(auth_id) ?? 0;
    if (count >= max_at_once) {
      throw new AppError(
        'too_many_requests',
        `${max_at_once} of your files are being uploaded already. This one was not saved or counted; add it again in a moment.`,
        { retry_after_ms: 5_000 },
      );
    }
    running.set(auth_id, count + 1);
    try {
      return await work();
    } finally {
      const left = running.get(auth_id)! - 1;
      if (left) running.set(auth_id, left);
      else running.delete(auth_id);
    }
  };
}
