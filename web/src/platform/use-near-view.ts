import { useEffect, useRef } from 'react';

/**
 * Calls `onNear` each time the returned element comes within `margin` of the view: for loading the next page. The view is what
 * scrolls around it; a dialog is a view of its own, as it lies above the page that it stands in.
 */
export function useNearView<Kind extends HTMLElement = HTMLDivElement>(onNear: () => void, margin: string) {
  const element = useRef<Kind>(null);
  const latest = useRef(onNear);
  latest.current = onNear;
  useEffect(() => {
    if (element.current === null) return;
    const observer = new IntersectionObserver(
      (entries) => {
        if (entries.some((entry) => entry.isIntersecting)) latest.current();
      },
      { root: element.current.closest('[data-scrolls], dialog'), rootMargin: margin },
    );
    observer.observe(element.current);
    return () => observer.disconnect();
  });
  return element;
}
