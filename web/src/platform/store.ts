import { useCallback, useSyncExternalStore } from 'react';

/** Values by key that live outside React, so that they outlast the page that shows them. */
export type Store<Value> = {
  get: (key: string) => Value | undefined;
  set: (key: string, value: Value | undefined) => void;
  subscribe: (listener: () => void) => () => void;
};

/**
 * Makes an empty store. With `notify_ms` listeners hear of changes at most that often: a stream that
 * brings hundreds of events a second is drawn at the pace that the eye can follow.
 */
export function createStore<Value>(notify_ms = 0): Store<Value> {
  const values = new Map<string, Value>();
  const listeners = new Set<() => void>();
  let scheduled = false;
  const notify = () => {
    scheduled = false;
    for (const listener of listeners) listener();
  };
  return {
    get: (key) => values.get(key),
    set: (key, value) => {
      if (value === undefined) values.delete(key);
      else values.set(key, value);
      if (notify_ms === 0) notify();
      else if (!scheduled) {
        scheduled = true;
        setTimeout(notify, notify_ms);
      }
    },
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** The value under a key, kept current. */
export function useStored<Value>(store: Store<Value>, key: string) {
  return useSyncExternalStore(
    store.subscribe,
    useCallback(() => store.get(key), [store, key]),
  );
}
