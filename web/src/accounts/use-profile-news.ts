import { type QueryClient, useQueryClient } from '@tanstack/react-query';

const channel_name = 'touchline.me';

/** Has this tab read the profile again whenever another one says that it changed. */
export function hearProfileNews(queryClient: QueryClient) {
  new BroadcastChannel(channel_name).onmessage = () => {
    void queryClient.invalidateQueries({ queryKey: ['me'] });
  };
}

/** Tells every tab of this browser that the member's profile changed on the server. */
export function useProfileNews() {
  const queryClient = useQueryClient();
  return () => {
    void queryClient.invalidateQueries({ queryKey: ['me'] });
    const channel = new BroadcastChannel(channel_name);
    channel.postMessage('changed');
    channel.close();
  };
}
