/** How many messages a member has before the address is confirmed. */
export const unconfirmed_messages = 3;
