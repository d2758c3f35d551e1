/**
 * Every setting as an empty environment variable, which counts as missing and wins over a developer's `.env`: what a
 * test starts is then set by the test alone.
 */
export const no_settings: Record<string, string> = Object.fromEntries(
  [
    ...[
      'HOST',
      'PORT',
      'DATA_DIR',
      'DATABASE_URL',
      'DATABASE_POOL_SIZE',
      'SUPABASE_URL',
      'SUPABASE_PUBLISHABLE_KEY',
    ],
    ...['SUPABASE_JWT_SECRET', 'AUTH_JWT_SECRET', 'OPENAI_API_KEY', 'OPENAI_BASE_URL', 'OPENAI_MODEL'],
    ...['OPENAI_STORE_DAYS', 'OPENAI_PATIENCE_S', 'MAX_FILE_MB', 'LOG_LEVEL', 'PUBLIC_URL', 'OPERATOR_EMAIL'],
    ...['S3_ENDPOINT', 'S3_REGION', 'S3_BUCKET', 'S3_ACCESS_KEY_ID', 'S3_SECRET_ACCESS_KEY'],
    ...['SMTP_HOST', 'SMTP_PORT', 'SMTP_USER', 'SMTP_PASSWORD', 'SMTP_TLS', 'MAIL_FROM'],
    ...['STRIPE_SECRET_KEY', 'STRIPE_WEBHOOK_SECRET', 'STRIPE_API_URL', 'STRIPE_TAX'],
    ...['TRUST_PROXY', 'GOOGLE_CLIENT_ID', 'GOOGLE_CLIENT_SECRET', 'CAPTCHA_PROVIDER', 'CAPTCHA_SITE_KEY'],
    ...['GITHUB_CLIENT_ID', 'GITHUB_CLIENT_SECRET', 'GITHUB_URL'],
  ].map((name) => [name, '']),
);
