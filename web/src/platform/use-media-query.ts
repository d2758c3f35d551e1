import { useCallback, useSyncExternalStore } from 'react';

/** Whether a media query holds, kept current. */
function useMediaQuery(query: string) {
  const subscribe = useCallback(
    (listener: () => void) => {
      const list = matchMedia(query);
      list.addEventListener('change', listener);
      return () => list.removeEventListener('change', listener);
    },
    [query],
  );
  return useSyncExternalStore(subscribe, () => matchMedia(query).matches);
}

/** True where the sidebar stands beside the page; below that it is a drawer. */
export const useWideScreen = () => useMediaQuery('(min-width: 56rem)');

/** True where a passage fits beside the chat; below that it is a sheet. */
export const useVeryWideScreen = () => useMediaQuery('(min-width: 80rem)');

/** True where a finger points: focus then does not jump into a field, because that opens the keyboard. */
export const isTouchScreen = () => matchMedia('(pointer: coarse)').matches;
