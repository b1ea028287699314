/** Makes the provider tokens of every session due for renewal at the next read. */
export const RENEWALS_DUE = `UPDATE auth_keyv
  SET value = jsonb_set(value::jsonb, '{value,tokenRefreshAt}', '0')::text
  WHERE user_id IS NOT NULL`
