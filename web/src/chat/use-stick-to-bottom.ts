import { useCallback, useLayoutEffect, useRef, useState } from 'react';

/** So far from the end a reader still counts as being there, px. */
const slack_px = 48;

/**
 * Keeps a scrolling element at its end while it grows, as long as the reader is there; a reader who has
 * scrolled up stays where they are, also when earlier messages (`first_key`) arrive above.
 */
export function useStickToBottom(first_key: string | undefined) {
  const scroller = useRef<HTMLElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const pinned = useRef(true);
  const [at_end, setAtEnd] = useState(true);
  const distance_from_end = useRef(0);
  const last_top = useRef(0);

  const toEnd = useCallback(() => {
    pinned.current = true;
    scroller.current?.scrollTo({ top: scroller.current.scrollHeight, behavior: 'instant' });
  }, []);

  const onScroll = useCallback(() => {
    const element = scroller.current;
    if (element === null) return;
    distance_from_end.current = element.scrollHeight - element.scrollTop;
    const near = distance_from_end.current - element.clientHeight < slack_px;
    // Only scrolling up leaves the end: words may have come in between our own scrolling and this event.
    if (near) pinned.current = true;
    else if (element.scrollTop < last_top.current) pinned.current = false;
    last_top.current = element.scrollTop;
    setAtEnd(pinned.current);
  }, []);

  useLayoutEffect(() => {
    if (scroller.current === null || content.current === null) return;
    const observer = new ResizeObserver(() => {
      if (pinned.current) toEnd();
      else onScroll();
    });
    observer.observe(content.current);
    observer.observe(scroller.current);
    return () => observer.disconnect();
  }, [onScroll, toEnd]);

  const last_first_key = useRef(first_key);
  useLayoutEffect(() => {
    const element = scroller.current;
    const prepended = last_first_key.current !== undefined && last_first_key.current !== first_key;
    last_first_key.current = first_key;
    if (element !== null && prepended && !pinned.current) {
      element.scrollTop = element.scrollHeight - distance_from_end.current;
    }
  }, [first_key]);

  return { scroller, content, onScroll, at_end, toEnd };
}
