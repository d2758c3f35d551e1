import { useSyncExternalStore } from 'react';

function subscribe(listener: () => void) {
  addEventListener('online', listener);
  addEventListener('offline', listener);
  return () => {
    removeEventListener('online', listener);
    removeEventListener('offline', listener);
  };
}

/** Says that the device is offline, as long as it is, and what that means here. */
export function OfflineNotice({ children }: { children: string }) {
  const online = useSyncExternalStore(subscribe, () => navigator.onLine);
  return (
    <div role="status">
      {!online && (
        <p className="bg-ink px-4 py-1.5 text-center text-small text-paper">You are offline. {children}</p>
      )}
    </div>
  );
}
