import { useQuery } from '@tanstack/react-query';
import ImageOff from 'lucide-react/icons/image-off';
import { useState } from 'react';
import { ApiError } from '../platform/api-error.ts';
import { usePlatform } from '../platform/platform-context.ts';
import { useNearView } from '../platform/use-near-view.ts';
import { useObjectUrl } from '../platform/use-object-url.ts';

type PictureProps = {
  /** Which file: `/api/files/{id}` or `/api/library/{id}`. */
  path: string;
  /** How wide it comes from the server, in pixels; the original may be smaller. */
  size: 320 | 1280;
  /** Empty where its name stands beside it. */
  alt: string;
  /** Its place is kept from the start, so that nothing jumps when it comes. */
  width?: number | null | undefined;
  height?: number | null | undefined;
  className?: string;
};

/**
 * A member's picture. It is fetched, because an image's own request carries no token, and once it comes near the view: the
 * server makes each of them.
 */
export function Picture({ path, size, alt, width, height, className = '' }: PictureProps) {
  const { api } = usePlatform();
  const [is_near, setNear] = useState(false);
  const element = useNearView<HTMLImageElement>(() => setNear(true), '200px');
  const { data, isError } = useQuery({
    enabled: is_near,
    queryKey: ['pictures', path, size],
    queryFn: async ({ signal }) => (await api.open(`${path}/picture?width=${size}`, { signal })).blob(),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 60_000,
    // Many at once are refused for a moment.
    retry: (failures, error) =>
      failures < 4 &&
      error instanceof ApiError &&
      (error.status === 0 || error.status === 429 || error.status >= 500),
    retryDelay: (failures, error) =>
      (error instanceof ApiError ? error.retry_after_ms : null) ?? 1000 * 2 ** failures,
  });
  const url = useObjectUrl(data);
  // Said by the style as well: the pixel that stands in for it has a shape of its own.
  const shape = width && height ? { aspectRatio: `${width} / ${height}` } : undefined;
  if (isError) {
    return (
      <span
        style={shape && { ...shape, width: `${width}px` }}
        className={`flex items-center justify-center bg-sunken text-muted ${className}`}
      >
        <ImageOff size={18} aria-hidden="true" />
        {alt && <span className="sr-only">{alt}: it could not be shown</span>}
      </span>
    );
  }
  return (
    <img
      ref={element}
      // One pixel that is not there, until the picture is.
      src={url ?? 'data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw=='}
      alt={alt}
      width={width ?? undefined}
      height={height ?? undefined}
      style={shape}
      className={`bg-sunken ${className}`}
    />
  );
}
