import { useEffect, useRef } from 'react';

let arrivals = 0;

/**
 * Moves the focus to the returned element when a page is shown after another one, so that a screen
 * reader speaks the new page. The very first page of a visit leaves the focus to the browser. Not `wanted`: something else on the page takes it.
 */
export function useFocusOnArrival<Element extends HTMLElement>(page: string, wanted = true) {
  const element = useRef<Element>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another page means another arrival.
  useEffect(() => {
    arrivals++;
    if (arrivals > 1 && wanted) element.current?.focus({ preventScroll: true });
  }, [page]);
  return element;
}
