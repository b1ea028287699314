-- CreateTable
CREATE TABLE "auth_users" (
    "id" TEXT NOT NULL,
    "display_name" TEXT,
    "email" TEXT,
    "email_verified" BOOLEAN NOT NULL DEFAULT false,
    "image_url" TEXT,
    "disabled_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "auth_users_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "auth_accounts" (
    "id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "provider_id" TEXT NOT NULL,
    "issuer" TEXT NOT NULL,
    "subject" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "last_sign_in_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "auth_accounts_pkey" PRIMARY KEY ("id")
);

-- CreateTable
-- By hand: the columns after "value" are computed from what Keyv wrote, so they cannot differ from
-- it and whoever writes the value writes them.
CREATE TABLE "auth_keyv" (
    "key" VARCHAR(255) NOT NULL,
    "value" TEXT NOT NULL,
    "expires_at" BIGINT GENERATED ALWAYS AS ((("value"::jsonb) ->> 'expires')::bigint) STORED,
    "user_id" TEXT GENERATED ALWAYS AS (("value"::jsonb) -> 'value' ->> 'userId') STORED,
    "issuer" TEXT GENERATED ALWAYS AS (("value"::jsonb) -> 'value' ->> 'issuer') STORED,
    "subject" TEXT GENERATED ALWAYS AS (("value"::jsonb) -> 'value' ->> 'subject') STORED,
    "sid" TEXT GENERATED ALWAYS AS (("value"::jsonb) -> 'value' ->> 'sid') STORED,

    CONSTRAINT "auth_keyv_pkey" PRIMARY KEY ("key")
);

-- CreateTable
CREATE TABLE "auth_provider_tokens" (
    "session_key" VARCHAR(255) NOT NULL,
    "access_token" TEXT,
    "refresh_token" TEXT,
    "id_token" TEXT,
    "lease_until" TIMESTAMPTZ(3),
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "auth_provider_tokens_pkey" PRIMARY KEY ("session_key")
);

-- CreateTable
CREATE TABLE "better_auth_users" (
    "id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "email" TEXT NOT NULL,
    "email_verified" BOOLEAN NOT NULL DEFAULT false,
    "image" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "better_auth_users_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "auth_sessions" (
    "id" TEXT NOT NULL,
    "token" TEXT NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "ip_address" TEXT,
    "user_agent" TEXT,
    "user_id" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "auth_sessions_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "better_auth_accounts" (
    "id" TEXT NOT NULL,
    "account_id" TEXT NOT NULL,
    "provider_id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "access_token" TEXT,
    "refresh_token" TEXT,
    "id_token" TEXT,
    "access_token_expires_at" TIMESTAMPTZ(3),
    "refresh_token_expires_at" TIMESTAMPTZ(3),
    "scope" TEXT,
    "password" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "better_auth_accounts_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "auth_verifications" (
    "id" TEXT NOT NULL,
    "identifier" TEXT NOT NULL,
    "value" TEXT NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "auth_verifications_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "auth_accounts_user_id_idx" ON "auth_accounts"("user_id");

-- CreateIndex
CREATE UNIQUE INDEX "auth_accounts_issuer_subject_key" ON "auth_accounts"("issuer", "subject");

-- CreateIndex
CREATE INDEX "auth_keyv_expires_at_idx" ON "auth_keyv"("expires_at");

-- CreateIndex
CREATE INDEX "auth_keyv_user_id_idx" ON "auth_keyv"("user_id");

-- CreateIndex
CREATE INDEX "auth_keyv_issuer_subject_idx" ON "auth_keyv"("issuer", "subject");

-- CreateIndex
CREATE INDEX "auth_keyv_issuer_sid_idx" ON "auth_keyv"("issuer", "sid");

-- CreateIndex
CREATE UNIQUE INDEX "better_auth_users_email_key" ON "better_auth_users"("email");

-- CreateIndex
CREATE UNIQUE INDEX "auth_sessions_token_key" ON "auth_sessions"("token");

-- CreateIndex
CREATE INDEX "auth_sessions_user_id_idx" ON "auth_sessions"("user_id");

-- CreateIndex
CREATE INDEX "better_auth_accounts_user_id_idx" ON "better_auth_accounts"("user_id");

-- CreateIndex
CREATE INDEX "auth_verifications_identifier_idx" ON "auth_verifications"("identifier");

-- AddForeignKey
ALTER TABLE "auth_accounts" ADD CONSTRAINT "auth_accounts_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "auth_users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "auth_provider_tokens" ADD CONSTRAINT "auth_provider_tokens_session_key_fkey" FOREIGN KEY ("session_key") REFERENCES "auth_keyv"("key") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "auth_sessions" ADD CONSTRAINT "auth_sessions_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "better_auth_users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "better_auth_accounts" ADD CONSTRAINT "better_auth_accounts_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "better_auth_users"("id") ON DELETE CASCADE ON UPDATE CASCADE;
