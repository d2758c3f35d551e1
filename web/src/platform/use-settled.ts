import { useEffect, useState } from 'react';

/** A value once it has stayed the same for a quarter of a second: what is asked about need not be each letter that is typed. */
export function useSettled(value: string) {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(setSettled, 250, value);
    return () => clearTimeout(timer);
  }, [value]);
  return settled;
}
