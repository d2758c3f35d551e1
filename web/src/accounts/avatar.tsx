import { useQuery } from '@tanstack/react-query';
import { usePlatform } from '../platform/platform-context.ts';
import { useObjectUrl } from '../platform/use-object-url.ts';
import type { Me } from './me.ts';

const own_picture = '/api/me/avatar';

/** The member's picture, or the first letter of the name. Decoration: the name stands beside it. */
export function Avatar({ me, className = 'size-8' }: { me: Me | undefined; className?: string }) {
  const picture_url = usePictureUrl(me?.avatar_url ?? null);
  return (
    <span
      aria-hidden="true"
      className={`flex shrink-0 items-center justify-center overflow-hidden rounded-full bg-pitch font-medium text-chalk uppercase ${className}`}
    >
      {picture_url ? (
        <img src={picture_url} alt="" className="size-full object-cover" />
      ) : (
        (me?.user_name?.trim() || me?.email || '').charAt(0)
      )}
    </span>
  );
}

/** An address under which the page can show the picture; it is fetched, because an image's request carries no token. */
function usePictureUrl(avatar_url: string | null) {
  const { api } = usePlatform();
  const { data: picture } = useQuery({
    queryKey: ['avatar', avatar_url],
    queryFn: async ({ signal }) => (await api.open(avatar_url!, { signal })).blob(),
    enabled: avatar_url?.startsWith(own_picture) ?? false,
    staleTime: Number.POSITIVE_INFINITY,
    retry: 1,
  });
  return useObjectUrl(avatar_url === null ? undefined : picture);
}
