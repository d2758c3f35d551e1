/** What became of a chat in another tab: it was written in or renamed, or it is gone. */
export type ChatNews = { chat_session_id: string; gone: boolean };
export type TellOtherTabs = (news: ChatNews) => void;

/**
 * Joins this page with the others that the browser has open: `onNews` hears what they did to a chat. Answers with a
 * function that tells them of what is done here.
 */
export function connectTabs(onNews: (news: ChatNews) => void): TellOtherTabs {
  const channel = new BroadcastChannel('touchline.chats');
  channel.onmessage = (event: MessageEvent<ChatNews>) => onNews(event.data);
  return (news) => channel.postMessage(news);
}
