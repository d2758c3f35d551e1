/** What the server tells every visitor before anyone has signed in. */
export type Config = {
  mode: 'embedded' | 'postgres' | 'supabase';
  /** Absolute, or a path on this host. */
  auth_url: string;
  auth_key: string;
  /** `practice`: the built-in coach answers, without a language model. */
  model: 'openai' | 'practice';
  max_file_bytes: number;
  max_files_per_message: number;
  /** With the dot, in lower case. */
  file_extensions: string[];
  /** Mails are shown on /outbox in place of being sent. */
  outbox: boolean;
  /** The test for machines that the sign-in asks for. */
  captcha: { provider: 'hcaptcha' | 'turnstile'; site_key: string } | null;
};

/** Reads the configuration; throws when the server cannot be reached or does not answer with it. */
export async function fetchConfig(): Promise<Config> {
  const response = await fetch('/api/config');
  if (!response.ok) throw new Error(`The configuration was answered with ${response.status}.`);
  return response.json();
}
