/**
 * Joins this page with the others that the browser has open: `onChange` hears the id of a chat that was written
 * in there. Answers with a function that tells them of one here.
 */
export function connectTabs(onChange: (chat_session_id: string) => void) {
  const channel = new BroadcastChannel('touchline.chats');
  channel.onmessage = (event: MessageEvent<string>) => onChange(event.data);
  return (chat_session_id: string) => channel.postMessage(chat_session_id);
}
