-- AlterTable
-- Nullable: processes of an earlier version still insert rows, and know neither.
ALTER TABLE "auth_provider_tokens" ADD COLUMN     "expires_at" TIMESTAMPTZ(3),
ADD COLUMN     "scopes" TEXT;

-- CreateTable
-- A table of its own: the statements of an earlier version read and replace by the session alone, so
-- more rows of a session in the first table would be mixed up.
CREATE TABLE "auth_linked_provider_tokens" (
    "session_key" VARCHAR(255) NOT NULL,
    "provider_id" TEXT NOT NULL,
    "access_token" TEXT,
    "refresh_token" TEXT,
    "id_token" TEXT,
    "expires_at" TIMESTAMPTZ(3),
    "scopes" TEXT,
    "lease_until" TIMESTAMPTZ(3),
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "auth_linked_provider_tokens_pkey" PRIMARY KEY ("session_key","provider_id")
);

-- AddForeignKey
ALTER TABLE "auth_linked_provider_tokens" ADD CONSTRAINT "auth_linked_provider_tokens_session_key_fkey" FOREIGN KEY ("session_key") REFERENCES "auth_keyv"("key") ON DELETE CASCADE ON UPDATE CASCADE;
