import { createContext, use } from 'react';
import type { Api } from './api.ts';
import type { Config } from './config.ts';

type Platform = { api: Api; config: Config };

export const PlatformContext = createContext<Platform | null>(null);

/** The way to the server, and what it told of itself. */
export function usePlatform() {
  const platform = use(PlatformContext);
  if (platform === null) throw new Error('usePlatform was called outside PlatformContext');
  return platform;
}
